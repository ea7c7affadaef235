import type { z } from 'zod';
import {
  DESKTOP_CALLS,
  DesktopAct,
  DesktopScreenshot,
  DesktopStart,
  DesktopVnc,
} from '../../src/protocol/desktop.ts';
import { KERNEL_CALLS, KernelNamed, KernelRun } from '../../src/protocol/kernel.ts';
import { PORT_CALLS, PortOpen } from '../../src/protocol/ports.ts';
import {
  Archive,
  CALLS,
  FileList,
  FileMkdir,
  FileMove,
  FileRead,
  FileRemove,
  FileStat,
  FileWrite,
  Nothing,
  ProcessAttach,
  ProcessInput,
  ProcessSignal,
  ProcessStart,
  ShellRun,
} from '../../src/protocol/sandboxd.ts';
import { TERMINAL_CALLS, TerminalClose, TerminalOpen, TerminalResize } from '../../src/protocol/terminal.ts';
import { FileWatch, WATCH_CALL } from '../../src/protocol/watch.ts';
import { archive } from '../archive/archive.ts';
import type { Daemon } from '../daemon.ts';
import { act } from '../desktop/act.ts';
import { takeScreenshot } from '../desktop/screenshot.ts';
import { startDesktop } from '../desktop/start.ts';
import { tunnelVnc } from '../desktop/vnc.ts';
import { listFiles } from '../file/list.ts';
import { makeFolder } from '../file/mkdir.ts';
import { moveFile } from '../file/move.ts';
import { readFile } from '../file/read.ts';
import { removeFile } from '../file/remove.ts';
import { statFile } from '../file/stat.ts';
import { watchFiles } from '../file/watch.ts';
import { writeFile } from '../file/write.ts';
import { hello } from '../hello.ts';
import { interruptKernel, listKernels, restartKernel, stopKernel } from '../kernel/control.ts';
import { runKernel } from '../kernel/run.ts';
import { listPorts } from '../port/list.ts';
import { openPort } from '../port/open.ts';
import { attachProcess } from '../process/attach.ts';
import { listProcesses } from '../process/list.ts';
import { signalProcess } from '../process/signal.ts';
import { startProcess } from '../process/start.ts';
import { writeInput } from '../process/write-input.ts';
import { runShell } from '../shell/run.ts';
import { closeTerminal, listTerminals, resizeTerminal } from '../terminal/calls.ts';
import { openTerminal } from '../terminal/open.ts';
import type { Call } from './call.ts';
import { checkArguments } from './check-arguments.ts';

/** Answers a call whose arguments have come. */
export type Route = (args: unknown, call: Call, daemon: Daemon) => Promise<void>;

function route<Schema extends z.ZodType>(
  schema: Schema,
  answer: (args: z.infer<Schema>, call: Call, daemon: Daemon) => Promise<void>,
): Route {
  return (args, call, daemon) => answer(checkArguments(schema, args), call, daemon);
}

export const ROUTES: ReadonlyMap<string, Route> = new Map([
  [CALLS.hello, route(Nothing, hello)],
  [CALLS.processStart, route(ProcessStart, startProcess)],
  [CALLS.processAttach, route(ProcessAttach, attachProcess)],
  [CALLS.processList, route(Nothing, listProcesses)],
  [CALLS.processSignal, route(ProcessSignal, signalProcess)],
  [CALLS.processInput, route(ProcessInput, writeInput)],
  [CALLS.shellRun, route(ShellRun, runShell)],
  [CALLS.fileRead, route(FileRead, readFile)],
  [CALLS.fileWrite, route(FileWrite, writeFile)],
  [CALLS.fileStat, route(FileStat, statFile)],
  [CALLS.fileList, route(FileList, listFiles)],
  [CALLS.fileMove, route(FileMove, moveFile)],
  [CALLS.fileRemove, route(FileRemove, removeFile)],
  [CALLS.fileMkdir, route(FileMkdir, makeFolder)],
  [WATCH_CALL, route(FileWatch, watchFiles)],
  [CALLS.archive, route(Archive, archive)],
  [DESKTOP_CALLS.start, route(DesktopStart, startDesktop)],
  [DESKTOP_CALLS.screenshot, route(DesktopScreenshot, takeScreenshot)],
  [DESKTOP_CALLS.act, route(DesktopAct, act)],
  [DESKTOP_CALLS.vnc, route(DesktopVnc, tunnelVnc)],
  [PORT_CALLS.open, route(PortOpen, openPort)],
  [PORT_CALLS.list, route(Nothing, listPorts)],
  [TERMINAL_CALLS.open, route(TerminalOpen, openTerminal)],
  [TERMINAL_CALLS.resize, route(TerminalResize, resizeTerminal)],
  [TERMINAL_CALLS.close, route(TerminalClose, closeTerminal)],
  [TERMINAL_CALLS.list, route(Nothing, listTerminals)],
  [KERNEL_CALLS.run, route(KernelRun, runKernel)],
  [KERNEL_CALLS.interrupt, route(KernelNamed, interruptKernel)],
  [KERNEL_CALLS.restart, route(KernelNamed, restartKernel)],
  [KERNEL_CALLS.stop, route(KernelNamed, stopKernel)],
  [KERNEL_CALLS.list, route(Nothing, listKernels)],
]);
