/**
 * `npm run check`: everything about the source that a machine can judge without running a server.
 * `npm run check -- eslint knip` runs only those.
 */
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

interface Step {
  name: string
  command: string
}

interface Outcome {
  passed: boolean
  seconds: number
  output: string
}

/** Cheapest first: the commonest slip is told in seconds. */
const STEPS: readonly Step[] = [
  { name: 'tsc', command: 'tsc' },
  { name: 'prettier', command: 'prettier --check --log-level warn .' },
  { name: 'eslint', command: 'eslint .' },
  {
    name: 'dependencies',
    command: 'depcruise src test --config test/checks/dependency-rules.cjs --output-type err-long',
  },
  { name: 'knip', command: 'knip --no-progress' },
  { name: 'openapi', command: 'npm run --silent openapi -- --check' },
  {
    name: 'redocly',
    command: 'redocly lint openapi.yaml --config test/checks/redocly.yaml --format stylish',
  },
  {
    name: 'asyncapi',
    command: 'redocly lint asyncapi.yaml --config test/checks/redocly-async.yaml --format stylish',
  },
]

const ROOT = join(import.meta.dirname, '../..')

const ENVIRONMENT = {
  ...process.env,
  PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
  // Nothing here needs a network, so nothing may ask for one.
  REDOCLY_TELEMETRY: 'off',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  npm_config_update_notifier: 'false',
}

function run(step: Step): Promise<Outcome> {
  const started = performance.now()
  const child = spawn(step.command, {
    cwd: ROOT,
    env: ENVIRONMENT,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  const keep = (chunk: Buffer) => chunks.push(chunk)
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const seconds = (performance.now() - started) / 1000
      resolve({ passed: code === 0, seconds, output: Buffer.concat(chunks).toString() })
    })
  })
}

function report(step: Step, outcome: Outcome): void {
  const verdict = outcome.passed ? 'ok' : 'failed'
  const time = `${outcome.seconds.toFixed(1)} s`
  const line = `${verdict.padEnd(8)}${step.name.padEnd(14)}${time.padStart(7)}${warnings(outcome)}`
  console.log(line)
  if (!outcome.passed) console.log(`\n  ${step.command}\n\n${outcome.output.trim()}\n`)
}

/** Warnings do not fail a step; their number says when it is worth running it alone. */
function warnings(outcome: Outcome): string {
  const found = /[1-9]\d* warnings?\b/.exec(outcome.output)
  return outcome.passed && found ? `   ${found[0]}` : ''
}

function chosenSteps(names: readonly string[]): readonly Step[] {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name))
  if (unknown.length > 0) {
    const known = STEPS.map((step) => step.name).join(', ')
    console.error(`No such check: ${unknown.join(', ')}. There are: ${known}.`)
    process.exit(2)
  }
  return names.length === 0 ? STEPS : STEPS.filter((step) => names.includes(step.name))
}

async function main(): Promise<void> {
  const steps = chosenSteps(process.argv.slice(2))
  let failed = 0
  for (const step of steps) {
    const outcome = await run(step)
    report(step, outcome)
    if (!outcome.passed) failed += 1
  }
  console.log(`${steps.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

await main()
