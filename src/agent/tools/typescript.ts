import { defineTool } from '../tool.ts';
import { firstLine, KernelInput, runCode } from './kernel-input.ts';

export const typescript = defineTool({
  name: 'typescript',
  description: `Runs TypeScript or JavaScript in a lasting Node.js kernel: variables, functions and imports stay from call to call, declarations may come again, await stands anywhere. Types are taken out, not checked; for a check or for a program that is part of the result write files and use shell.
- You see what was printed, the value of the last expression as a REPL shows it, and the stack of an exception. display(value) shows a value in between; bytes of a PNG or JPEG are shown as an image.
- import and require find packages in /workspace/node_modules (npm install them with shell) and relative files. A module is loaded once: after you change its file use restart, or add ?2 to its path. process.stdin is refused.
- timeout_s, kernel, restart, long output and errors are as with python.`,
  input: KernelInput,
  summary: ({ code }) => `typescript: ${firstLine(code)}`,
  run: (input, call) => runCode('typescript', input, call),
});
