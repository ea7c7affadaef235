import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import Docker from 'dockerode';
import { LABEL } from '../../src/sandbox/docker/container.ts';
import { defaultImage } from '../../src/sandbox/image.ts';
import { testInstallation } from '../support/run-id.ts';

export interface ImageContainer {
  /** What a shell line prints to stdout, trimmed; throws with its stderr when it exits with another code than 0. */
  run(line: string): Promise<string>;
  remove(): Promise<void>;
}

/** The image as the engine starts it, with as little as a sandbox has, and looked at from outside: not through sandboxd. */
export async function startImage(): Promise<ImageContainer> {
  const docker = new Docker();
  const container = await docker.createContainer({
    Image: process.env.SANDBOX_IMAGE ?? defaultImage(),
    Labels: { [LABEL.installation]: testInstallation() },
    HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges:true'] },
  });
  await container.start();
  return {
    async run(line) {
      const exec = await container.exec({
        Cmd: ['bash', '-c', line],
        AttachStdout: true,
        AttachStderr: true,
      });
      const stream = await exec.start({});
      const [out, err] = [new PassThrough(), new PassThrough()];
      docker.modem.demuxStream(stream, out, err);
      stream.once('close', () => {
        out.end();
        err.end();
      });
      const [stdout, stderr] = await Promise.all([buffer(out), buffer(err)]);
      const { ExitCode } = await exec.inspect();
      if (ExitCode !== 0) throw new Error(`${line}: exit code ${ExitCode}: ${stderr}`);
      return stdout.toString().trim();
    },
    remove: () => container.remove({ force: true, v: true }),
  };
}
