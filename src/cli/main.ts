#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander';
import { explain } from './explain.ts';
import { readVersion } from './version.ts';

const program = new Command('containerized-agent')
  .description('Runs each prompt with an agent in an isolated machine of its own, and hands back a zip.')
  .version(readVersion());

program
  .command('serve')
  .description('serve until told to stop; settings are environment variables (docs/settings.md)')
  .action(() => finish(async () => (await import('./serve.ts')).serve(process.env)));

program
  .command('demo')
  .description('show the whole way of a job on a server of its own')
  .argument(
    '[prompt]',
    'what to have done, with the model that MODEL names; without it, a runbook that needs no model',
  )
  .action((prompt: string | undefined) =>
    finish(async () => (await import('./demo.ts')).demo(prompt, process.env)),
  );

program
  .command('run')
  .description('schedule a prompt on a running server, follow it, and save what comes out')
  .argument('<prompt>', 'the prompt, or a file that holds it')
  .option('--server <url>', 'where the server is', process.env.SERVER ?? 'http://127.0.0.1:8000')
  .option(
    '--key <key>',
    "one of the server's API_KEYS (default: the first in the variable API_KEYS)",
    firstKey(),
  )
  .option('--output <folder>', 'where the zip is saved', '.')
  .option('--no-follow', 'only schedule it')
  .action((prompt: string, options: { server: string; key?: string; output: string; follow: boolean }) =>
    finish(async () =>
      (await import('./run.ts')).run(prompt, { ...options, key: options.key ?? firstKey() }),
    ),
  );

program
  .command('model-server')
  .description('serve a model that answers from a script, over the wire protocols of real ones')
  .requiredOption('--script <file>', 'the script: .json, .mjs or .ts')
  .option('--port <port>', 'port to listen on; 0 takes a free one', portNumber, 0)
  .action((options: { script: string; port: number }) =>
    finish(async () => (await import('./model-server.ts')).modelServer(options)),
  );

program
  .command('doctor')
  .description('say what is there and what is missing')
  .action(() => finish(async () => (await import('./doctor.ts')).doctor(process.env)));

await program.parseAsync();

function firstKey(): string | undefined {
  return process.env.API_KEYS?.split(',')[0]?.trim() || undefined;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError('Expected a whole number from 0 to 65535.');
  }
  return port;
}

/** Runs a command to its exit code; what it fails with is told in words that say what to do. */
async function finish(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = 1;
  }
}
