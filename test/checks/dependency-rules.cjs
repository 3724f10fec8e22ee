/**
 * The arrows of src/: which room may import which, with which packages and Node built-ins.
 * What is not in this table is forbidden. `npm run check -- dependencies` holds it.
 *
 * @typedef {object} Room
 * @property {string[]} rooms     rooms and files of src/ it may import, beside itself
 * @property {string[]} packages  npm packages, as regular expressions
 * @property {string[] | 'any'} builtins  modules of Node
 */

const PURE_BYTES = ['buffer', 'crypto']
/** Nothing that reaches outside the process: the broker's files, sockets and clocks are handed to it. */
const NO_OUTSIDE = ['assert', 'async_hooks', 'buffer', 'crypto', 'events', 'stream', 'util']
const FASTIFY = ['fastify', '@fastify/[^/]+', 'fastify-plugin']

/** @type {Record<string, Room>} */
const ROOMS = {
  contract: { rooms: [], packages: ['zod', 'zod-openapi'], builtins: [] },
  records: { rooms: ['contract'], packages: [], builtins: PURE_BYTES },
  drains: { rooms: ['contract', 'records'], packages: ['protobufjs'], builtins: PURE_BYTES },
  store: { rooms: ['contract'], packages: ['pg', 'kysely'], builtins: 'any' },
  broker: { rooms: ['contract', 'records', 'drains', 'store'], packages: [], builtins: NO_OUTSIDE },
  http: {
    rooms: ['contract', 'records', 'broker', 'drains'],
    packages: [...FASTIFY, 'pino', 'yaml', 'zod', 'zod-openapi'],
    builtins: 'any',
  },
  client: { rooms: ['contract'], packages: ['zod'], builtins: [] },
  cli: { rooms: ['client', 'contract'], packages: ['commander'], builtins: 'any' },

  'config.ts': { rooms: ['contract'], packages: ['zod'], builtins: 'any' },
  'logger.ts': { rooms: ['contract'], packages: ['pino', 'pino-pretty'], builtins: 'any' },
  'server.ts': {
    rooms: ['contract', 'records', 'drains', 'store', 'broker', 'http', 'config.ts', 'logger.ts'],
    packages: ['close-with-grace'],
    builtins: 'any',
  },
}

/** The only two commands that load the server; every other one is an HTTP client. */
const SERVING_COMMANDS = {
  'cli/commands/serve.ts': ['server.ts'],
  'cli/commands/migrate.ts': ['server.ts', 'store', 'config.ts', 'logger.ts'],
}

const ENTRIES = ['^src/cli/main[.]ts$', '^src/client/index[.]ts$']
const PACKAGE_TYPES = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'deprecated']

/** `store` -> everything below src/store/; `config.ts` -> that file. */
const inSrc = (name) => `^src/${name.replace('.', '[.]')}${name.endsWith('.ts') ? '$' : '/'}`
const inPackage = (name) => `node_modules/(@types/)?${name}/`

/** @param {Room} room */
function roomRules(name, room) {
  const from = { path: inSrc(name), pathNot: Object.keys(SERVING_COMMANDS).map(inSrc) }
  return [
    roomArrows(name, from, [name, ...room.rooms]),
    {
      name: `${name}-packages`,
      comment: `src/${name} may use the packages: ${room.packages.join(', ') || 'none'}.`,
      severity: 'error',
      from: { path: inSrc(name) },
      to: { dependencyTypes: PACKAGE_TYPES, pathNot: room.packages.map(inPackage) },
    },
    ...(room.builtins === 'any' ? [] : [builtinRule(name, room.builtins)]),
  ]
}

function roomArrows(name, from, targets) {
  return {
    name: `${name}-arrows`,
    comment: `src/${name} may import from src/ only: ${targets.join(', ')}.`,
    severity: 'error',
    from,
    to: { path: '^src/', pathNot: targets.map(inSrc) },
  }
}

function builtinRule(name, builtins) {
  return {
    name: `${name}-builtins`,
    comment: `src/${name} may use the modules of Node: ${builtins.join(', ') || 'none'}.`,
    severity: 'error',
    from: { path: inSrc(name) },
    to: {
      dependencyTypes: ['core'],
      pathNot: builtins.map((builtin) => `^(node:)?${builtin}(/|$)`),
    },
  }
}

const generalRules = [
  {
    name: 'every-file-in-a-room',
    comment: 'src/ holds the rooms of this table and nothing beside them: add the room first.',
    severity: 'error',
    from: { path: '^src/', pathNot: Object.keys(ROOMS).map(inSrc) },
    to: {},
  },
  {
    name: 'no-cycles',
    comment: 'Cycles make two files one; cycles of types count.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    comment: 'Nothing imports this file and it imports nothing.',
    severity: 'error',
    from: { path: '^src/', pathNot: ENTRIES, orphan: true },
    to: {},
  },
  {
    name: 'reachable',
    comment: 'Neither the command nor the client leads here: only tests keep this file alive.',
    severity: 'error',
    from: { path: ENTRIES },
    to: { path: '^src/', pathNot: ENTRIES, reachable: false },
  },
  {
    name: 'only-store-says-sql',
    comment: 'Only src/store imports pg or kysely.',
    severity: 'error',
    from: { path: '^src/', pathNot: inSrc('store') },
    to: { path: ['pg', 'kysely'].map(inPackage) },
  },
  {
    name: 'http-pino-types',
    comment: 'src/http knows the logger by its type; src/logger.ts makes it.',
    severity: 'error',
    from: { path: inSrc('http') },
    to: { path: inPackage('pino'), dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'no-tests-in-src',
    comment: 'What is shipped does not import tests.',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^test/' },
  },
  {
    name: 'no-development-packages',
    comment: 'A user installs without devDependencies, and declarations name types too.',
    severity: 'error',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev'] },
  },
  {
    name: 'packages-declared',
    comment: 'Name the package in package.json: what is there by chance goes by chance.',
    severity: 'error',
    from: {},
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'resolvable',
    comment: 'The import leads nowhere.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'contract-tests-from-outside',
    comment: 'test/contract knows the server by its URL: of src/ it imports client and contract.',
    severity: 'error',
    from: { path: '^test/contract/' },
    to: { path: '^src/', pathNot: ['client', 'contract'].map(inSrc) },
  },
]

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).flatMap(([name, room]) => roomRules(name, room)),
    ...Object.entries(SERVING_COMMANDS).map(([name, targets]) =>
      roomArrows(name, { path: inSrc(name) }, ['cli', ...ROOMS.cli.rooms, ...targets]),
    ),
    ...generalRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count as imports.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
