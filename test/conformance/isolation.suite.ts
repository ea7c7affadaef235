import { beforeAll, describe, expect } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

/** What the engine itself puts into a container so that names resolve; the sandbox's user cannot write them. */
const ENGINE_FILES = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'];
/** The harmless devices; an engine without the right to make them, as in a user namespace, mounts the machine's own. */
const DEVICES = ['full', 'null', 'random', 'tty', 'urandom', 'zero'];

/** /proc/self/status as a map. */
async function status(sandbox: Sandbox): Promise<Map<string, string>> {
  const { stdout } = await run(sandbox, 'cat /proc/self/status');
  return new Map(stdout.split('\n').map((line) => [line.split(':')[0] ?? '', line.split(':\t')[1] ?? '']));
}

export function isolates(engine: Engine, check: Case): void {
  describe('isolation', () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      ({ sandbox } = await startTestSandbox({ driver: engine.makeDriver(), lasts: 'file' }));
    });
    const fails = async (command: string) =>
      expect((await run(sandbox, command)).exit_code, command).not.toBe(0);

    check('is a user that is not root, without capabilities, and cannot gain any', async () => {
      const found = await status(sandbox);
      expect(found.get('Uid')).toBe('1000\t1000\t1000\t1000');
      expect(found.get('Gid')).toBe('1000\t1000\t1000\t1000');
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect(found.get(set), set).toMatch(/^0+$/);
      }
      expect(found.get('NoNewPrivs')).toBe('1');
      const { stdout } = await run(sandbox, 'find / -xdev -perm /6000 -type f 2>/dev/null | wc -l');
      expect(stdout).toBe('0\n');
    });

    check('filters system calls', async () => {
      expect((await status(sandbox)).get('Seccomp')).toBe('2');
      await fails('unshare --user true');
      await fails('unshare --mount true');
      await fails(`python3 -c 'import ctypes,sys; sys.exit(ctypes.CDLL(None).syscall(250, 0, 0) < 0)'`);
    });

    check('has no network interface but loopback, and no way around it', async () => {
      expect((await run(sandbox, 'ls /sys/class/net')).stdout).toBe('lo\n');
      expect((await run(sandbox, 'grep -c . /proc/net/route')).stdout).toBe('1\n');
      for (const address of ['1.1.1.1', '203.0.113.80', '169.254.169.254', '172.17.0.1']) {
        await fails(`timeout 5 bash -c 'exec 3<>/dev/tcp/${address}/80'`);
      }
      await fails(`python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'`);
      await fails(`python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'`);
    });

    check('has nothing of the host mounted, least of all its engine', async () => {
      const { stdout } = await run(sandbox, 'cat /proc/self/mountinfo');
      const mounts = stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
      const foreign = mounts.filter(([, , , root, point, ...rest]) => {
        const type = rest[rest.indexOf('-') + 1] ?? '';
        const ofKernel = /^(overlay|proc|tmpfs|devpts|sysfs|mqueue|cgroup2?|shm)$/.test(type);
        const ofEngine = root !== '/' && ENGINE_FILES.includes(point ?? '');
        return !ofKernel && !ofEngine && !(type === 'devtmpfs' && DEVICES.includes(root?.slice(1) ?? ''));
      });
      expect(foreign).toEqual([]);
      expect((await run(sandbox, 'find / -xdev -name "docker*.sock" 2>/dev/null')).stdout).toBe('');
      for (const file of ENGINE_FILES) await fails(`echo x >>${file}`);
    });

    check("sees only its own processes, and cannot touch the host's", async () => {
      const { stdout } = await run(sandbox, 'cat /proc/1/cmdline | tr "\\0" " "');
      expect(stdout).toContain('/opt/sandboxd/init');
      expect(Number((await run(sandbox, 'ls -d /proc/[0-9]* | wc -l')).stdout)).toBeLessThan(20);
      expect((await run(sandbox, 'cat /proc/self/cgroup')).stdout).not.toContain('docker/');
    });

    check('cannot write what the kernel shows', async () => {
      for (const path of [
        '/proc/sys/kernel/hostname',
        '/proc/sys/kernel/core_pattern',
        '/proc/sysrq-trigger',
        '/proc/sys/net/ipv4/ip_forward',
        '/sys/kernel/mm/transparent_hugepage/enabled',
      ]) {
        await fails(`echo 0 >${path}`);
      }
      await fails('mkdir /sys/fs/cgroup/new || mkdir /sys/fs/cgroup/memory/new');
      for (const path of ['/proc/kcore', '/proc/keys', '/proc/timer_list']) {
        expect((await run(sandbox, `head -c 64 ${path} 2>/dev/null | wc -c`)).stdout, path).toBe('0\n');
      }
      expect((await run(sandbox, 'ls -A /sys/firmware 2>/dev/null | wc -l')).stdout).toBe('0\n');
    });

    check('has no devices but the harmless ones', async () => {
      const { stdout } = await run(sandbox, 'find /dev -type b; find /dev -type c | sort');
      for (const device of stdout.trim().split('\n')) {
        expect(device).toMatch(/^\/dev\/(full|null|ptmx|random|tty|urandom|zero|console|pts\/(ptmx|\d+))$/);
      }
      await fails('mknod /tmp/sda b 8 0');
    });

    check('cannot change what sandboxd runs on', async () => {
      await fails('touch /opt/sandboxd/new');
      await fails('echo >/opt/sandboxd/init');
      await fails('mv /opt/sandboxd /opt/other');
    });

    check('leaves no core files and knows nothing of the host by its name', async () => {
      expect((await run(sandbox, 'ulimit -Hc')).stdout).toBe('0\n');
      expect((await run(sandbox, 'hostname')).stdout).toBe('sandbox\n');
      const { stdout } = await run(sandbox, 'env');
      for (const name of ['DOCKER_HOST', 'API_KEYS', 'DATABASE_URL', 'SECRETS_KEY', 'TEST_RUN']) {
        expect(stdout).not.toContain(`${name}=`);
      }
    });
  });

  describe('root inside', () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      const driver = engine.makeDriver();
      ({ sandbox } = await startTestSandbox({ driver, privileges: 'root', lasts: 'file' }));
    });

    check('can do to files and users what installing programs needs', async () => {
      const { stdout, stderr } = await run(
        sandbox,
        'id -u; touch /usr/local/x; chown 1000:1000 /usr/local/x; stat -c %u /usr/local/x; setpriv --reuid 1000 --clear-groups id -u',
      );
      expect(stdout, stderr).toBe('0\n1000\n1000\n');
    });

    check('can do nothing beyond', async () => {
      const found = await status(sandbox);
      // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID: bits 0, 1, 3, 4, 5, 6, 7.
      expect(Number.parseInt(found.get('CapEff') ?? '', 16) & ~0xfb).toBe(0);
      expect([found.get('NoNewPrivs'), found.get('Seccomp')]).toEqual(['1', '2']);
      for (const command of [
        'mount -t tmpfs none /mnt',
        'mknod /tmp/sda b 8 0',
        'unshare --mount true',
        'chroot / true',
        'echo x >/proc/sys/kernel/core_pattern',
        'hostname other',
        'ip link add dummy0 type dummy',
        'date -s 2001-01-01',
        'dmesg',
      ]) {
        expect((await run(sandbox, command)).exit_code, command).not.toBe(0);
      }
    });
  });
}
