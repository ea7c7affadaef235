import { KernelInfo, KernelList } from '../../protocol/kernel.ts';
import {
  KernelLine,
  KernelName,
  KernelResult,
  RunCodeRequest,
  StartKernelRequest,
} from '../../protocol/sandbox-api.ts';
import { accepts } from '../accepts.ts';
import { clientEnv, findLive, LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { codeRun, runCode, specOf, startKernel, streamCode } from '../sandboxes/kernel-code.ts';
import { LINES, sendLines } from '../sandboxes/send-lines.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const tag = 'Sandboxes' as const;
const KernelParams = JobParams.extend({ name: KernelName });
const START_ERRORS = [
  ...LIVE_ERRORS,
  'KERNEL_UNKNOWN',
  'KERNEL_START_FAILED',
  'TOO_MANY_PROCESSES',
  'INVALID_ARGUMENT',
] as const;
const EXAMPLE = { name: 'python', spec: 'python', pid: 412, busy: false };
const ENDED = {
  fault: null,
  exception: null,
  restarted: false,
  exit_code: null,
  signal: null,
  dropped_bytes: 0,
  earlier: '',
  duration_ms: 6.2,
};

/** Code kernels in a live sandbox: interpreters whose state lasts from run to run, with rich output. */
export function kernelsRoutes(app: App, api: Api): void {
  app.get(
    '/kernels/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: KernelList } },
      config: {
        docs: {
          id: 'listKernels',
          tag,
          summary: 'The code kernels of a live sandbox, and the kinds there can be',
          answer: 'Those that there are, and the kinds that the image has.',
          example: {
            kernels: [EXAMPLE],
            specs: [{ spec: 'python', language: 'python', title: 'Python' }],
          },
          errors: [...LIVE_ERRORS],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, request.params.id, signal);
      return sandbox.kernels.list({ signal });
    },
  );
  app.post(
    '/kernels/:id',
    {
      schema: {
        params: JobParams,
        querystring: NoQuery,
        body: StartKernelRequest,
        response: { 200: KernelInfo, 201: KernelInfo },
      },
      config: {
        docs: {
          id: 'startKernel',
          tag,
          summary: 'Start a code kernel',
          description:
            'By its language, and a name where several of one language are to stand side by side. No need: the first run starts a kernel, too.',
          answer: 'The kernel: started (201), or running before (200).',
          example: EXAMPLE,
          bodies: { 'application/json': { schema: StartKernelRequest, example: { language: 'python' } } },
          errors: [...START_ERRORS],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const { job, sandbox } = await findLive(api, request.params.id, signal);
      const { language, name = specOf(language) } = request.body;
      const wanted = { name, spec: specOf(language), env: await clientEnv(api, job) };
      const { kernel, made } = await startKernel(sandbox, wanted, signal);
      return reply.code(made ? 201 : 200).send(kernel);
    },
  );
  app.post(
    '/kernels/:id/:name/run',
    {
      schema: {
        params: KernelParams,
        querystring: NoQuery,
        body: RunCodeRequest,
        response: { 200: KernelResult },
      },
      config: {
        docs: {
          id: 'runCode',
          tag,
          summary: 'Run code in a kernel',
          description:
            'Variables and imports stay from run to run; runs of one kernel come one after the other. A kernel that is not there is started: name it as its language (`python`, `typescript`), or say `language`. With `Accept: application/x-ndjson` what the code shows comes line by line as it is shown; a client that goes interrupts it. Code that fails is no error of the call: `fault` says why, `exception` what was thrown.',
          answer: 'What it showed, in order, and how it ended.',
          example: {
            outputs: [
              { type: 'stdout', text: 'one\n' },
              { type: 'display', kind: 'result', data: { 'text/plain': '2' } },
            ],
            ...ENDED,
            truncated: false,
          },
          answers: {
            200: {
              description: 'What it shows as it comes.',
              type: LINES,
              schema: KernelLine,
              example: { type: 'ended', ...ENDED },
            },
          },
          bodies: {
            'application/json': { schema: RunCodeRequest, example: { code: "print('one')\n1 + 1" } },
          },
          errors: [...START_ERRORS, 'NOT_ACCEPTABLE'],
        },
      },
    },
    async (request, reply) => {
      const type = accepts(request, ['application/json', LINES]);
      const signal = api.streams.signalOf(reply);
      const { id, name } = request.params;
      const { job, sandbox } = await findLive(api, id, signal);
      const run = await codeRun(sandbox, name, request.body, { env: await clientEnv(api, job), signal });
      // As long as it takes, and silent for as long as it likes.
      request.raw.socket.setTimeout(0);
      if (type === 'application/json') return runCode(sandbox, run, signal);
      return sendLines(reply, streamCode(sandbox, run, signal));
    },
  );
}

/** What is done to a kernel as a whole. Apart from the others, since it takes no body. */
export function kernelControlRoutes(app: App, api: Api): void {
  const controls = [
    {
      method: 'POST',
      url: '/kernels/:id/:name/interrupt',
      act: 'interrupt',
      id: 'interruptKernel',
      summary: 'Interrupt what a kernel runs',
      description: 'Its state stays, where the code yields; the run ends with KERNEL_INTERRUPTED.',
      done: 'It is told to stop.',
    },
    {
      method: 'POST',
      url: '/kernels/:id/:name/restart',
      act: 'restart',
      id: 'restartKernel',
      summary: "End a kernel's process",
      description: 'With what it runs and its state; the next run has a new one.',
      done: 'It has ended.',
    },
    {
      method: 'DELETE',
      url: '/kernels/:id/:name',
      act: 'stop',
      id: 'endKernel',
      summary: 'End a kernel and forget it',
      description: 'With what it runs and its state.',
      done: 'It is gone.',
    },
  ] as const;
  for (const { method, url, act, id, summary, description, done } of controls) {
    app.route({
      method,
      url,
      schema: { params: KernelParams, querystring: NoQuery },
      config: {
        docs: {
          id,
          tag,
          summary,
          description,
          answers: { 204: { description: done } },
          errors: [...LIVE_ERRORS, 'KERNEL_UNKNOWN'],
        },
      },
      handler: async (request, reply) => {
        const signal = api.streams.signalOf(reply);
        const { kernels } = await liveSandbox(api, request.params.id, signal);
        await kernels[act](request.params.name, { signal });
        return reply.code(204).send();
      },
    });
  }
}
