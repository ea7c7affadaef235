import { harmless } from './terminal.ts';

interface Folder {
  folders: Map<string, Folder>;
  files: string[];
}

/** Paths as a tree of at most so many lines: folders with the number of files below them, the outermost first. */
export function showTree(paths: string[], most: number): string[] {
  const root = build(paths);
  // As deep as the lines allow.
  let lines = draw(root, 1);
  for (let depth = 2; depth <= 6; depth++) {
    const deeper = draw(root, depth);
    if (deeper.length > most) break;
    lines = deeper;
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `... and ${lines.length - most + 1} more`];
}

function build(paths: string[]): Folder {
  const root: Folder = { folders: new Map(), files: [] };
  for (const path of paths) {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let at = root;
    for (const part of parts) {
      const next = at.folders.get(part) ?? { folders: new Map(), files: [] };
      at.folders.set(part, next);
      at = next;
    }
    at.files.push(name);
  }
  return root;
}

function draw(folder: Folder, depth: number, indent = ''): string[] {
  const folders = [...folder.folders].flatMap(([name, inner]) => {
    const head = `${indent}${harmless(name)}/`;
    return depth > 1 ? [head, ...draw(inner, depth - 1, `${indent}  `)] : [`${head} (${count(inner)} files)`];
  });
  return [...folders, ...folder.files.map((name) => indent + harmless(name))];
}

function count(folder: Folder): number {
  return [...folder.folders.values()].reduce((sum, inner) => sum + count(inner), folder.files.length);
}
