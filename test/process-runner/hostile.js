// Runs instead of a scanner: tries to reach what is protected, and writes what it reached to `report.json`.
import { spawnSync } from 'node:child_process';
import { openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** @typedef {import('./hostile-targets.ts').HostileTargets} HostileTargets */

/** @param {HostileTargets} targets */
export async function attack(targets) {
  const { canary, files, folders, scansFolder, otherScan, readOnly, tcp, sockets } = targets;
  /** @type {Record<string, 'reached' | 'refused'>} */
  const report = {};
  /** @param {string} name @param {() => unknown} reach */
  const attempt = (name, reach) => {
    try {
      report[name] = reach() === false ? 'refused' : 'reached';
    } catch {
      report[name] = 'refused';
    }
  };
  /** @param {string} command */
  const shellFindsCanary = (command) =>
    spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).stdout.includes(canary);
  for (const file of files) attempt(`read ${file}`, () => readFileSync(file));
  for (const folder of folders) attempt(`list ${folder}`, () => readdirSync(folder).length > 0);
  attempt('environment of any process', () => processesWith('environ', canary));
  attempt('file system of any process', () => filesThroughProcesses(files));
  attempt('another scan', () => readFileSync(otherScan));
  const inScans = otherScan.slice(scansFolder.length + 1);
  attempt('another scan by a relative path', () =>
    ['..', '../..', '../../..'].some((up) => canRead(`${up}/${inScans}`)),
  );
  attempt('another scan by the second path', () =>
    readFileSync(join('/secu/scans', otherScan.slice(scansFolder.length))),
  );
  attempt('another scan after umount', () => shellFindsCanary(`umount '${scansFolder}'; cat '${otherScan}'`));
  attempt('another scan after umount in a new namespace', () =>
    shellFindsCanary(
      `unshare -r -m sh -c "umount '${scansFolder}'; umount /secu/scans; cat '${otherScan}' /secu/scans/other/*"`,
    ),
  );
  for (const file of readOnly) attempt(`write ${file}`, () => openSync(file, 'a'));
  for (const [name, target] of Object.entries({ ...tcp, ...sockets }))
    report[`connect to ${name}`] = await outcomeOfConnecting(target);
  const folder = process.env['TMPDIR'] ?? '';
  writeFileSync(join(folder, 'draft.json'), JSON.stringify(report));
  renameSync(join(folder, 'draft.json'), join(folder, 'report.json'));
  setInterval(() => {}, 60_000); // until it is killed
}

/** @param {string} file */
function canRead(file) {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
}

/** @param {string} file @param {string} text */
function processesWith(file, text) {
  return pids().some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

/** @param {readonly string[]} files */
function filesThroughProcesses(files) {
  return pids().some((pid) => files.some((file) => canRead(`/proc/${pid}/root${file}`)));
}

function pids() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** @param {{ host: string, port: number } | { path: string }} target @returns {Promise<'reached' | 'refused'>} */
function outcomeOfConnecting(target) {
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: 3_000 });
    socket.once('connect', () => resolve('reached'));
    socket.once('timeout', () => resolve('refused'));
    socket.once('error', () => resolve('refused'));
  });
}
