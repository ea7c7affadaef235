import { ERRORS } from '../protocol/errors.ts';
import { AGENT_FOLDER } from '../protocol/job.ts';
import type { KernelDisplay, KernelEnded } from '../protocol/kernel.ts';
import type { KernelRequest } from '../sandbox/kernels.ts';
import { cleanText } from './clean-text.ts';
import { readDisplay } from './kernel-output.ts';
import { OutputCapture } from './output-capture.ts';
import type { ToolCallContext, ToolResult } from './tool.ts';

const MAX_IMAGES = 8;
const MAX_PAGES = 20;

/** Runs code for a tool: what the model is shown of it, and the images. */
export async function runInKernel(call: ToolCallContext, request: KernelRequest): Promise<ToolResult> {
  const { sandbox, signal, env, name } = call;
  const output = new OutputCapture(sandbox, name, call.redact);
  const images: Buffer[] = [];
  const notes: string[] = [];
  let pages = 0;

  async function print(stream: 'stdout' | 'stderr', text: string): Promise<void> {
    const bytes = Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
    await Promise.all([call.log(stream, bytes), output.add(stream, bytes)]);
  }
  async function show(display: KernelDisplay): Promise<void> {
    const { text, image, page } = readDisplay(display);
    if (text !== '') await print('stdout', text);
    if (image && images.length < MAX_IMAGES) images.push(image);
    else if (image) notes.push(`only the first ${MAX_IMAGES} images are shown`);
    if (!page || pages >= MAX_PAGES) return;
    pages += 1;
    const file = `${AGENT_FOLDER}/outputs/${name}-${pages}.${page.ending}`;
    await sandbox.write(file, call.redact(page.source), { signal });
    notes.push(`shown as ${page.ending}: ${file}`);
  }
  const ended = await sandbox.kernels.run(
    { ...request, env },
    {
      signal,
      onOutput: async (stream, bytes) => {
        await Promise.all([call.log(stream, bytes), output.add(stream, bytes)]);
      },
      onDisplay: show,
    },
  );
  if (ended.earlier !== '') await call.log('stdout', Buffer.from(ended.earlier));
  if (ended.exception?.traceback) await print('stderr', ended.exception.traceback);
  const { text, file, leftOut } = await output.end();
  const said = [...new Set([...notes, ...describe(ended)])].map((note) => `[${note}]`);
  const content = [...tellEarlier(call.redact(ended.earlier)), text.trimEnd(), ...said]
    .filter(Boolean)
    .join('\n');
  return {
    content: content || (images.length > 0 ? '[an image]' : '[done; nothing was printed]'),
    isError: ended.fault !== null,
    images,
    fullOutput: file,
    leftOut,
  };
}

/** What goes on in the background may print when nobody looks; it stands before the output of the call that met it. */
function tellEarlier(earlier: string): string[] {
  const text = cleanText(earlier).trimEnd();
  return text === '' ? [] : ['[printed in the background since the last call:]', text, '[this call:]'];
}

function describe({ fault, restarted, dropped_bytes }: KernelEnded): string[] {
  const notes: string[] = [];
  if (dropped_bytes > 0) notes.push(`${dropped_bytes} bytes of output beyond the limit were dropped`);
  if (fault && fault.code !== 'KERNEL_EXCEPTION')
    notes.push(`${fault.code}: ${fault.message} ${ERRORS[fault.code].hint}`);
  if (restarted) notes.push('the state of the kernel was lost: variables and imports are gone');
  return notes;
}
