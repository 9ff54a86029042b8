/* The CUnit suites, one for each module; main.c runs them all. */
#ifndef LBP_TEST_SUITES_H
#define LBP_TEST_SUITES_H

/* Each adds its suite and tests to CUnit's registry. */
void suite_err(void);
void suite_sans(void);
void suite_serial(void);
void suite_pem(void);
void suite_expiry(void);
void suite_toml(void);
void suite_json(void);
void suite_config(void);
void suite_config_follow(void);
void suite_config_identity(void);
void suite_config_keys(void);
void suite_config_reader(void);
void suite_config_suggest(void);
void suite_config_value(void);
void suite_config_warn(void);
void suite_config_diff(void);
void suite_config_upstream(void);
void suite_rotation(void);
void suite_session_trust(void);
void suite_acl(void);
void suite_limiter(void);
void suite_balancer(void);
void suite_pool(void);
void suite_health(void);
void suite_sources(void);
void suite_suppress(void);
void suite_heap(void);
void suite_timers(void);
void suite_flow(void);
void suite_app(void);
void suite_app_reload(void);
void suite_policy(void);
void suite_policy_reload(void);
void suite_descriptors(void);
void suite_session(void);
void suite_session_new(void);
void suite_relay(void);
void suite_relay_watch(void);
void suite_spread(void);
void suite_hello(void);
void suite_session_bounds(void);
void suite_session_lifetime(void);
void suite_session_timeouts(void);
void suite_keepalive(void);
void suite_alpn(void);
void suite_session_upstream(void);
void suite_fault(void);
void suite_dial_time(void);
void suite_network(void);
void suite_proxy_read(void);
void suite_proxy_write(void);

#endif
