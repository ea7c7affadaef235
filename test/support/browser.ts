import { PassThrough } from 'node:stream';
import Docker from 'dockerode';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { LABEL } from '../../src/sandbox/docker/container.ts';
import { defaultImage } from '../../src/sandbox/image.ts';
import { testInstallation } from './run-id.ts';

const START_MS = 30_000;
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--no-proxy-server',
  '--remote-debugging-port=0',
  '--user-data-dir=/tmp/profile',
  'about:blank',
];

/** The image's own Chromium, headless, on this machine's network: it reaches what the test serves on loopback. */
export async function startBrowser(): Promise<{ browser: Browser; page: Page; faults: string[] }> {
  const container = await new Docker().createContainer({
    Image: process.env.SANDBOX_IMAGE ?? defaultImage(),
    Entrypoint: ['/usr/bin/chromium'],
    Cmd: FLAGS,
    Labels: { [LABEL.installation]: testInstallation() },
    HostConfig: { NetworkMode: 'host', Init: true, AutoRemove: false },
  });
  onTestFinished(async () => {
    await container.remove({ force: true, v: true });
  });
  const output = new PassThrough();
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  container.modem.demuxStream(stream, output, output);
  await container.start();
  const browser = await chromium.connectOverCDP(await endpoint(output));
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1_100, height: 760 } });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return { browser, page, faults };
}

function endpoint(output: PassThrough): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`Chromium did not start: ${said}`)), START_MS);
    output.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (!found) return;
      clearTimeout(timer);
      resolve(found);
    });
    output.once('end', () => {
      clearTimeout(timer);
      reject(new Error(`Chromium ended: ${said}`));
    });
  });
}
