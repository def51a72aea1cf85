/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For libvirtd on the stage (stage_world.py), by LD_PRELOAD: raising how much memory QEMU may lock
   does not fail where root may not, as in a container. QEMU's TCG locks none. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int
prlimit64 (pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *limit,
           struct rlimit64 *old)
{
  int result = (int) syscall (SYS_prlimit64, pid, resource, limit, old);

  return result < 0 && errno == EPERM && resource == RLIMIT_MEMLOCK && limit != NULL ? 0 : result;
}

int
setrlimit64 (__rlimit_resource_t resource, const struct rlimit64 *limit)
{
  return prlimit64 (0, resource, limit, NULL);
}
