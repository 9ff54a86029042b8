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
