import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { osRelease } from '../engine/host.ts';
import { say } from '../output.ts';
import { runProgram } from '../program.ts';
import { DEBIAN } from './from-registry.ts';

const APT_HELPER = '/usr/lib/apt/apt-helper';

/**
 * Where Debian's packages come from on this machine: its own mirrors where it is a Debian, so that an operator's are
 * honoured; elsewhere no source is named, and mmdebstrap takes its own default. The suite is the one that the
 * registry's image has too, or the machine's own where its mirror lacks that.
 */
export async function debianSources(): Promise<{ suite: string; sources: string[] }> {
  const host = await hostMirrors();
  if (!host) return { suite: DEBIAN, sources: [] };
  const { mirror, security, own } = host;
  const suite = (await mirrorHas(mirror, DEBIAN)) ? DEBIAN : own;
  if (suite !== DEBIAN) say(`  ${mirror} has no ${DEBIAN}: taking ${suite}, as this machine has`);
  return {
    suite,
    sources: [
      `deb ${mirror} ${suite} main`,
      ...(security ? [`deb ${mirror} ${suite}-updates main`, `deb ${security} ${suite}-security main`] : []),
    ],
  };
}

async function hostMirrors(): Promise<{ mirror: string; security: string | undefined; own: string } | null> {
  const own = osRelease('VERSION_CODENAME');
  if (osRelease('ID') !== 'debian' || !own) return null;
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  // --no-release-info lists what the machine's configuration names, fetched or not.
  const query = ['apt-get', 'indextargets', '--no-release-info', '--format', format, 'Created-By: Packages'];
  const targets = await runProgram(query);
  const find = (...releases: string[]): string | undefined => {
    for (const line of targets.split('\n')) {
      const [uri, release = '', component] = line.split(' ');
      if (component === 'main' && releases.includes(release)) return uri?.replace(/\/$/, '');
    }
    return undefined;
  };
  const mirror = find(own, 'stable');
  if (!mirror) return null;
  // A frozen mirror has no security archive: then none is mixed in.
  return { mirror, security: find(`${own}-security`, 'stable-security'), own };
}

/** Asked through apt's own downloader, which knows the machine's proxies. */
async function mirrorHas(mirror: string, suite: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-suite-'));
  try {
    await runProgram([
      APT_HELPER,
      'download-file',
      `${mirror}/dists/${suite}/InRelease`,
      join(folder, 'InRelease'),
    ]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The machine's settings of how packages are fetched (proxies, certificates, clocks), as apt reads them. */
export async function aptSettings(): Promise<string[]> {
  const wanted = /^Acquire::(https?|Check-|Retries|ForceIPv|Max-FutureTime)\S* "[^"]+";$/;
  const lines = (await runProgram(['apt-config', 'dump'])).split('\n').filter((line) => wanted.test(line));
  return ['Acquire::Languages "none";', ...lines];
}
