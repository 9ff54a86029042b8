#include "suites.h"
void suite_policy_reload(void) {}
