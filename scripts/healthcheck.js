// `node scripts/healthcheck.js URL`: ends with 0 when the address answers 200 within three seconds, else with 1. For
// images, which need neither curl nor a shell for it.
const [url] = process.argv.slice(2);
if (url === undefined) {
  process.stderr.write('usage: node scripts/healthcheck.js URL\n');
  process.exit(2);
}
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000), redirect: 'manual' });
  process.stdout.write(`${response.status} ${await response.text()}\n`);
  process.exitCode = response.status === 200 ? 0 : 1;
} catch (err) {
  process.stderr.write(`${url}: ${String(err)}\n`);
  process.exitCode = 1;
}
