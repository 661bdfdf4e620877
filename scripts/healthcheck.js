// `node scripts/healthcheck.js URL`: exits with 0 if the URL responds with 200 within three seconds, otherwise with 1.
// So an image needs neither curl nor a shell for its health check.
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
