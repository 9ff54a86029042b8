#include "name.h"

struct lbp_name lbp_name_of_serial(const struct lbp_serial *serial)
{
	return (struct lbp_name){.kind = LBP_NAME_SERIAL, .serial = *serial};
}

struct lbp_name lbp_name_of_id(const char *id)
{
	return (struct lbp_name){.kind = LBP_NAME_ID, .id = id};
}

struct lbp_name lbp_name_of_number(uint32_t number)
{
	return (struct lbp_name){.kind = LBP_NAME_NUMBER, .number = number};
}

struct lbp_name lbp_name_of_uri(const char *uri)
{
	return (struct lbp_name){.kind = LBP_NAME_URI, .text = uri};
}

struct lbp_name lbp_name_of_dns(const char *dns)
{
	return (struct lbp_name){.kind = LBP_NAME_DNS, .text = dns};
}

struct lbp_name lbp_name_of_issued(
	const struct lbp_serial *serial, uint64_t issuer)
{
	return (struct lbp_name){
		.kind = LBP_NAME_ISSUED, .issued = {*serial, issuer}};
}
