import { existsSync, readFileSync } from 'node:fs';

/** Whether set-up may install packages: Debian or a relative of it, and root. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg');
}

/** A field of /etc/os-release, such as ID or VERSION_CODENAME; empty where there is none. */
export function osRelease(field: string): string {
  if (!existsSync('/etc/os-release')) return '';
  const line = readFileSync('/etc/os-release', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${field}=`));
  return line?.slice(field.length + 1).replaceAll('"', '') ?? '';
}
