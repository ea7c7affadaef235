import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ListeningPort } from '../../src/protocol/ports.ts';
import type { Call } from '../serve/call.ts';

const LISTEN = '0A';
const MAX_COMMAND_CHARS = 200;

/** Says which ports programs listen on: TCP, both families. */
export async function listPorts(_args: object, call: Call): Promise<void> {
  // First, so that one that begins to listen meanwhile is left out, not told without its program.
  const sockets = [...listening('tcp'), ...listening('tcp6')];
  const owners = socketOwners();
  const ports = new Map<number, ListeningPort>();
  for (const { port, address, inode } of sockets) {
    const pid = owners.get(inode) ?? null;
    if (pid === process.pid || ports.has(port)) continue;
    ports.set(port, { port, address, pid, command: pid === null ? null : commandOf(pid) });
  }
  await call.json({ ports: [...ports.values()].sort((a, b) => a.port - b.port) });
}

interface Socket {
  port: number;
  address: string;
  inode: string;
}

/** The listening sockets of /proc/net (proc_pid_net(5)): local address, state and inode are columns 1, 3 and 9. */
function listening(table: 'tcp' | 'tcp6'): Socket[] {
  return read(`/proc/net/${table}`)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === LISTEN)
    .map((columns) => {
      const [address = '', port = ''] = (columns[1] ?? '').split(':');
      return { port: Number.parseInt(port, 16), address: toAddress(address), inode: columns[9] ?? '' };
    });
}

/** The kernel prints addresses as 32-bit words in the machine's own order: little-endian on both architectures here. */
function toAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.every((byte) => byte === 0)) return '::';
  if (bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))) return '::1';
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}

/** Which process has each socket, by inode; of processes of other users nothing is known. */
function socketOwners(): Map<string, number> {
  const owners = new Map<string, number>();
  for (const name of entries('/proc')) {
    const pid = Number(name);
    if (!(pid > 0)) continue;
    for (const fd of entries(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      // The parent first: a listening socket is often inherited by workers.
      if (inode !== undefined && !owners.has(inode)) owners.set(inode, pid);
    }
  }
  return owners;
}

function commandOf(pid: number): string | null {
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return command === '' ? null : command.slice(0, MAX_COMMAND_CHARS);
}

// What is looked at may end meanwhile.
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
