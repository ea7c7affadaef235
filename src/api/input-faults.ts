import { posix } from 'node:path';
import type { Fault } from '../protocol/errors.ts';

const MAX_SEGMENT_BYTES = 255;

/** What is wrong with the paths of input files taken together: one named twice, or as a file and as a folder. */
export function inputFaults(paths: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  const fault = (index: number, message: string) => faults.push({ path: `files.${index}.path`, message });
  const seen = new Map<string, number>();
  for (const [index, path] of paths.entries()) {
    const normal = posix.normalize(path);
    if (normal === '.' || normal.endsWith('/')) fault(index, 'expected the path of a file; found a folder');
    else if (seen.has(normal)) fault(index, `expected each path once; files.${seen.get(normal)} has it too`);
    else if (normal.split('/').some((part) => Buffer.byteLength(part) > MAX_SEGMENT_BYTES)) {
      fault(index, `expected names of at most ${MAX_SEGMENT_BYTES} bytes`);
    }
    seen.set(normal, index);
  }
  for (const [path, index] of seen) {
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
      if (seen.has(parent))
        fault(index, `expected a folder above it; files.${seen.get(parent)} is a file there`);
    }
  }
  return faults;
}
