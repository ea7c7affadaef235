import { z } from 'zod';
import { defineTool } from '../tool.ts';
import { firstLine, KERNEL_RULES, KernelInput, runCode } from './kernel-input.ts';

export const python = defineTool({
  name: 'python',
  description: `Runs Python in a lasting IPython kernel, as the cells of a notebook: variables, imports and the working folder (at first /workspace) stay from call to call. Use it to explore and compute step by step, for data and for plots; for a program that is part of the result write a file and run it with shell.
- You see stdout and stderr, the value of the last expression, the traceback of an exception, and plots: matplotlib figures come back as images by themselves. HTML and SVG are kept as files that are named.
- numpy, matplotlib and Pillow are there; more with %pip install. !command runs a shell command. input() is refused.
- kernelspec runs the code in another Jupyter kernel that is installed, by its name, in place of Python.
${KERNEL_RULES}`,
  input: KernelInput.extend({
    kernelspec: z
      .string()
      .regex(/^[\w.-]{1,64}$/)
      .optional(),
  }),
  summary: ({ code, kernelspec = 'python' }) => `${kernelspec}: ${firstLine(code)}`,
  run: ({ kernelspec = 'python', ...input }, call) => runCode(kernelspec, input, call),
});
