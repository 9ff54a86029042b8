/* Runs every CUnit suite; exit status 0 if tests ran and none failed. */
#include <CUnit/Basic.h>
#include <stdbool.h>

#include "suites.h"

int main(void)
{
	bool failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite_err();
	suite_sans();
	suite_serial();
	suite_pem();
	suite_expiry();
	suite_toml();
	suite_json();
	suite_config();
	suite_config_follow();
	suite_config_identity();
	suite_config_include();
	suite_config_keys();
	suite_config_reader();
	suite_config_suggest();
	suite_config_value();
	suite_config_warn();
	suite_config_show();
	suite_config_size();
	suite_config_writer();
	suite_config_diff();
	suite_config_upstream();
	suite_rotation();
	suite_session_trust();
	suite_acl();
	suite_admin();
	suite_status();
	suite_busiest();
	suite_app_look();
	suite_metrics();
	suite_times();
	suite_limiter();
	suite_balancer();
	suite_pool();
	suite_health();
	suite_sources();
	suite_suppress();
	suite_heap();
	suite_timers();
	suite_flow();
	suite_app();
	suite_app_reload();
	suite_policy();
	suite_policy_reload();
	suite_descriptors();
	suite_memory();
	suite_session();
	suite_session_id();
	suite_session_new();
	suite_relay();
	suite_relay_watch();
	suite_spread();
	suite_hello();
	suite_hello_length();
	suite_session_bounds();
	suite_session_lifetime();
	suite_session_timeouts();
	suite_keepalive();
	suite_alpn();
	suite_session_upstream();
	suite_fault();
	suite_dial_time();
	suite_explain();
	suite_excerpt();
	suite_network();
	suite_proxy_read();
	suite_proxy_write();
	suite_service();
	suite_steps();
	suite_passed();
	CU_basic_set_mode(CU_BRM_VERBOSE);
	/* A test that could not be added is an error too. */
	failed = CU_get_error() != CUE_SUCCESS ||
		 CU_basic_run_tests() != CUE_SUCCESS ||
		 CU_get_number_of_failures() != 0 ||
		 CU_get_number_of_tests_run() == 0;
	CU_cleanup_registry();
	return failed;
}
