import type { Tool } from './tool.ts';
import { askUser } from './tools/ask-user.ts';
import { computer } from './tools/computer.ts';
import { editFile } from './tools/edit-file.ts';
import { finish } from './tools/finish.ts';
import { listFiles } from './tools/list-files.ts';
import { note } from './tools/note.ts';
import { openPort } from './tools/open-port.ts';
import { plan } from './tools/plan.ts';
import { python } from './tools/python.ts';
import { readFile } from './tools/read-file.ts';
import { recall } from './tools/recall.ts';
import { screenshot } from './tools/screenshot.ts';
import { searchFiles } from './tools/search-files.ts';
import { shell } from './tools/shell.ts';
import { shellKill } from './tools/shell-kill.ts';
import { shellOutput } from './tools/shell-output.ts';
import { typescript } from './tools/typescript.ts';
import { writeFile } from './tools/write-file.ts';

/** Every tool of the `llm` agent, in the order in which the model is told of them. */
export const TOOLS: readonly Tool[] = [
  shell,
  shellOutput,
  shellKill,
  openPort,
  python,
  typescript,
  readFile,
  writeFile,
  editFile,
  listFiles,
  searchFiles,
  screenshot,
  computer,
  recall,
  note,
  plan,
  askUser,
  finish,
];

export const findTool = (name: string): Tool | undefined => TOOLS.find((tool) => tool.name === name);
