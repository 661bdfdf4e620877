/** PATH of every child process: system folders only, never the PATH of the operator's shell. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
