import { readFileSync, realpathSync } from 'node:fs';

/** A line of an fstab(5) file, which mount(8) applies in one call. */
export interface Mount {
  source: string;
  target: string;
  /** `bind` for a file or a folder of the machine; otherwise a file system type. */
  type: 'bind' | 'tmpfs' | 'proc';
  options: readonly string[];
}

/** @see fstab(5) */
export function fstabOf(mounts: readonly Mount[]): string {
  return mounts
    .map(({ source, target, type, options }) => {
      const fields =
        type === 'bind' ? ['none', ['rbind', ...options].join(',')] : [type, options.join(',') || 'defaults'];
      return `${escaped(source)} ${escaped(target)} ${fields.join(' ')} 0 0\n`;
    })
    .join('');
}

function escaped(path: string): string {
  return path.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/**
 * Options of the mount that holds this path. The kernel does not allow a user namespace to drop them.
 * @see mount_namespaces(7), "Restrictions on mount namespaces"
 */
export function restrictionsOf(path: string): string[] {
  const real = `${realpathSync(path)}/`;
  let mountPoint = '';
  let options = '';
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , , point = '', flags = ''] = line.split(' ');
    const prefix = point.endsWith('/') ? point : `${point}/`;
    // a later mount at the same point covers the earlier one
    if (point !== '' && real.startsWith(prefix) && point.length >= mountPoint.length)
      [mountPoint, options] = [point, flags];
  }
  return options.split(',').filter((option) => ['ro', 'nosuid', 'nodev', 'noexec'].includes(option));
}
