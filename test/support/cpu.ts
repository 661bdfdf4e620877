/** CPU time that this process spends on some work, in ms. Unlike elapsed time, it does not depend on the load of the machine. */
export async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
