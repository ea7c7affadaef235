/**
 * Which room may import which (ARCHITECTURE.md draws it):
 * protocol <- config <- {store | sandbox | model} <- agent <- worker <- cli. The API answers from the store and reaches
 * a live sandbox through its port; sandboxd knows the protocol alone; only the command line picks implementations.
 */

/** Rooms of src/ with what else of src/ each may import. */
const ROOMS = {
  protocol: [],
  store: ['protocol', 'config'],
  sandbox: ['protocol', 'config'],
  model: ['protocol', 'config'],
  agent: ['protocol', 'config', 'store', 'sandbox', 'model'],
  worker: ['protocol', 'config', 'store', 'sandbox', 'model', 'agent'],
};
const path = (room) => (room === 'config' ? '^src/config[.]ts$' : `^src/${room}/`);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(ROOMS).map(([room, allowed]) => ({
      name: `room-${room}`,
      comment: `src/${room} may import ${['itself', ...allowed].join(', ')}.`,
      severity: 'error',
      from: { path: path(room) },
      to: { path: '^(src|sandboxd|web|tools|test|bench)/', pathNot: [room, ...allowed].map(path) },
    })),
    {
      name: 'room-config',
      severity: 'error',
      from: { path: path('config') },
      to: { path: '^(src|sandboxd|web|tools|test|bench)/', pathNot: [path('protocol')] },
    },
    {
      name: 'room-api',
      comment:
        'The API reaches sandboxes through their port and the connection: no driver, no worker, no agent but for the pure functions that show what a model saw.',
      severity: 'error',
      from: { path: path('api') },
      to: {
        path: '^(src|sandboxd|web|tools|test|bench)/',
        pathNot: [
          ...['api', 'protocol', 'config', 'store'].map(path),
          '^src/agent/context/inspect[.]ts$',
          '^src/sandbox/(sandbox|driver|engine-state|kernels|desktop)[.]ts$',
          '^src/sandbox/connection/',
        ],
      },
    },
    {
      name: 'room-sandboxd',
      comment:
        'sandboxd and the web pages run elsewhere: the protocol is all that they share with the server.',
      severity: 'error',
      from: { path: '^(sandboxd|web)/' },
      to: { path: '^(src|tools|test|bench)/', pathNot: [path('protocol')] },
    },
    {
      name: 'room-cli',
      comment: 'The server does not know what builds, tests or measures it.',
      severity: 'error',
      from: { path: path('cli') },
      to: { path: '^(sandboxd|web|tools|test|bench)/' },
    },
    {
      name: 'entry-picks-implementations',
      comment: 'A driver is chosen in src/cli; everybody else gets the port.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/cli/', '^src/sandbox/(docker|oci)/'] },
      to: { path: '^src/sandbox/(docker|oci)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'runtime-dependencies',
      comment: 'What the server imports is a dependency of it, not of its development.',
      severity: 'error',
      from: { path: '^(src|sandboxd)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/node_modules/.*/node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    moduleSystems: ['es6'],
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
    cache: { folder: '.tools/cache/imports', strategy: 'content', compress: false },
  },
};
