import { describe, expect, it } from 'vitest';
import { containerOptions } from '../../src/sandbox/docker/container.ts';

const spec = {
  id: '0123456789abcdefghjkmn',
  installation: 'here',
  worker: 'w1',
  limits: { cpus: 2, memory_mb: 2_048, disk_mb: 1_024, pids: 100 },
  privileges: 'user' as const,
};
const settings = { image: 'img', runtime: undefined, hostCpus: 4, diskQuota: false, openFiles: true };

describe('containerOptions', () => {
  it('names and labels it, so that it is found again', () => {
    const { name, Labels } = containerOptions(spec, settings);
    expect(name).toBe('sandbox-0123456789abcdefghjkmn');
    expect(Labels).toEqual({
      'containerized-agent.installation': 'here',
      'containerized-agent.worker': 'w1',
      'containerized-agent.sandbox': '0123456789abcdefghjkmn',
    });
  });

  it('mounts nothing of the host and gives it no network', () => {
    const { HostConfig, Volumes } = containerOptions(spec, settings);
    expect([
      HostConfig.Binds,
      HostConfig.Mounts,
      HostConfig.VolumesFrom,
      HostConfig.Devices,
      Volumes,
    ]).toEqual(Array(5).fill(undefined));
    expect(HostConfig.NetworkMode).toBe('none');
  });

  it('asks for no more CPUs than the host has, and no less than the engine takes', () => {
    expect(containerOptions(spec, { ...settings, hostCpus: 1 }).HostConfig.NanoCpus).toBe(1e9);
    expect(containerOptions(spec, settings).HostConfig.NanoCpus).toBe(2e9);
    const least = containerOptions({ ...spec, limits: { ...spec.limits, cpus: 0.001 } }, settings);
    expect(least.HostConfig.NanoCpus).toBe(1e7);
  });

  it('keeps shared memory within the memory limit', () => {
    const shm = (memory_mb: number) =>
      containerOptions({ ...spec, limits: { ...spec.limits, memory_mb } }, settings).HostConfig.ShmSize;
    expect(shm(2_048)).toBe(256 * 1024 * 1024);
    expect(shm(128)).toBe(64 * 1024 * 1024);
  });

  it('limits the disk where the engine can', () => {
    expect(containerOptions(spec, settings).HostConfig.StorageOpt).toBeUndefined();
    const limited = containerOptions(spec, { ...settings, diskQuota: true });
    expect(limited.HostConfig.StorageOpt).toEqual({ size: '1024m' });
  });

  it('names the runtime only where one is set', () => {
    expect(containerOptions(spec, settings).HostConfig.Runtime).toBeUndefined();
    expect(containerOptions(spec, { ...settings, runtime: 'runsc' }).HostConfig.Runtime).toBe('runsc');
  });
});
