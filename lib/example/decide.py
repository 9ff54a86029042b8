"""The library's decisions from Python: who is let in, and which upstream is
next. usage: decide.py LIBRARY.so"""

import ctypes as c
import sys

lib = c.CDLL(sys.argv[1])
lib.lbp_err_text.restype = lib.lbp_app_upstream_name.restype = c.c_char_p
lib.lbp_reason_text.restype = c.c_char_p
ID, DIAL = 1, 1 << 2  # LBP_NAME_ID, LBP_DUTY_DIAL


def struct(*fields):
    return type("struct", (c.Structure,), {"_fields_": [
        (f"f{i}", kind) for i, kind in enumerate(fields)]})


u32, u64, size, ptr = c.c_uint32, c.c_uint64, c.c_size_t, c.c_void_p
Name = struct(c.c_int, c.c_char_p, u64 * 5)
AclName = struct(Name, u32)
Limits = struct(u32, u32, u64)
Grant = struct(u32, u32, Limits, u64)
AclOptions = struct(size, ptr, size, ptr, size, u32, u32)
Upstream = struct(c.c_char_p, u32, ptr, u64 * 2)
Health = struct(c.c_bool, u64, u64, u32, u32, u64 * 2)
AppOptions = struct(size, c.c_char_p, ptr, u32, ptr, size, Health)
Timeouts = struct(u64, u64, u64, u64)
Duties = struct(c.c_uint, u32, c.c_int, u32)


def make(call, *args):
    out = ptr()
    err = call(c.byref(out), *args)
    assert err == 0, lib.lbp_err_text(err)
    return out


people = [Name(ID, b"alice"), Name(ID, b"bob")]
names = (AclName * 2)(*(AclName(name, i) for i, name in enumerate(people)))
grants = (Grant * 1)(Grant(0, 0, Limits(3, 0, 0)))  # alice: three at once
acl = make(lib.lbp_acl_new, c.byref(AclOptions(
    c.sizeof(AclOptions), c.addressof(names), 2, c.addressof(grants), 1, 2, 1)))
upstreams = (Upstream * 2)(Upstream(b"one", 1), Upstream(b"two", 2))
app = make(lib.lbp_app_new, c.byref(AppOptions(
    c.sizeof(AppOptions), b"echo", acl, 0, c.addressof(upstreams), 2)), u64(0))
timeouts, duties, sessions = Timeouts(), Duties(), []
for who in [people[0]] * 4 + [people[1], Name(ID, b"eve")]:
    session = make(lib.lbp_session_new, app, c.byref(timeouts), u64(0))
    sessions.append((session, who))  # alive as long as the session
    lib.lbp_session_submit(session, c.byref(who), size(1), u64(0),
                           c.byref(duties))
    verdict = lib.lbp_reason_text(lib.lbp_session_reason(session))
    if duties.f0 & DIAL:
        verdict = lib.lbp_app_upstream_name(app, u32(duties.f1))
    print(who.f1.decode(), verdict.decode())
