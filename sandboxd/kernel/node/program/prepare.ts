import { stripTypeScriptTypes } from 'node:module';
import { type AnyNode, type ImportDeclaration, type Program, parse } from 'acorn';
import { HOLD, IMPORT, META } from './names.ts';

/** The code is neither JavaScript nor TypeScript. */
export class Unreadable extends Error {}

/**
 * What is run for a cell: JavaScript whose imports work wherever they stand, each line where it was. Types are taken out
 * of what is no JavaScript.
 */
export function prepare(code: string, name: string): string {
  const { program, text } = read(code);
  const edits: Edit[] = [];
  walk(program, true, (node, outside) => edits.push(...editsOf(node, text, outside)));
  const body = edits
    // From the end on, and what is put in before what stands there after that is replaced.
    .sort((a, b) => b.start - a.start || b.end - a.end)
    .reduce((rest, edit) => rest.slice(0, edit.start) + edit.text + rest.slice(edit.end), text);
  return `${body}\n//# sourceURL=${name}`;
}

function read(code: string): { program: Program; text: string } {
  const options = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true } as const;
  try {
    return { program: parse(code, options), text: code };
  } catch {
    const text = withoutTypes(code);
    try {
      return { program: parse(text, options), text };
    } catch (error) {
      throw new Unreadable(error instanceof Error ? error.message : String(error));
    }
  }
}

function withoutTypes(code: string): string {
  try {
    // Blanks in the place of types: lines and columns stay.
    return stripTypeScriptTypes(code);
  } catch (error) {
    // What has to be turned into code, such as an enum.
    if (error instanceof Error && 'code' in error && error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
      return stripTypeScriptTypes(code, { mode: 'transform' });
    throw new Unreadable(error instanceof Error ? error.message.trim() : String(error));
  }
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

/** @param outside of any function */
function editsOf(node: AnyNode, text: string, outside: boolean): Edit[] {
  const { start, end } = node;
  const lines = (from: number, to: number): string =>
    '\n'.repeat(text.slice(from, to).split('\n').length - 1);
  switch (node.type) {
    case 'ImportDeclaration':
      return [{ start, end, text: `${asDynamic(node)};${lines(start, end)}` }];
    case 'ImportExpression':
      return [{ start, end: start + 'import'.length, text: IMPORT }];
    case 'AwaitExpression': {
      const { argument } = node;
      const opening = { start: argument.start, end: argument.start, text: `${HOLD}(` };
      return outside ? [opening, { start: argument.end, end: argument.end, text: ')' }] : [];
    }
    case 'MetaProperty':
      return node.meta.name === 'import' ? [{ start, end, text: META }] : [];
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration': {
      const kept = node.declaration;
      return kept ? [{ start, end: kept.start, text: '' }] : [{ start, end, text: lines(start, end) }];
    }
    case 'ExportAllDeclaration':
      return [{ start, end, text: lines(start, end) }];
    default:
      return [];
  }
}

/** `import a, { b as c } from 'd'` as a declaration that may come again in a later cell. */
function asDynamic({ specifiers, source, attributes }: ImportDeclaration): string {
  const type = attributes?.find(({ key }) => key.type === 'Identifier' && key.name === 'type')?.value.value;
  const options = type === undefined ? '' : `, { with: { type: ${JSON.stringify(type)} } }`;
  const load = `await ${IMPORT}(${JSON.stringify(source.value)}${options})`;
  const names: string[] = [];
  let whole = '';
  for (const specifier of specifiers) {
    const local = specifier.local.name;
    if (specifier.type === 'ImportNamespaceSpecifier') whole = local;
    else if (specifier.type === 'ImportDefaultSpecifier') names.push(`default: ${local}`);
    else {
      const { imported } = specifier;
      names.push(
        `${imported.type === 'Identifier' ? imported.name : JSON.stringify(imported.value)}: ${local}`,
      );
    }
  }
  const some = `{ ${names.join(', ')} }`;
  if (whole) return `const ${whole} = ${load}${names.length > 0 ? `, ${some} = ${whole}` : ''}`;
  return names.length > 0 ? `const ${some} = ${load}` : load;
}

const FUNCTION = /Function/;

function walk(value: unknown, outside: boolean, visit: (node: AnyNode, outside: boolean) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, outside, visit);
  if (typeof value !== 'object' || value === null || !('type' in value)) return;
  visit(value as AnyNode, outside);
  const below = outside && !FUNCTION.test(String(value.type));
  for (const member of Object.values(value)) if (typeof member === 'object') walk(member, below, visit);
}
