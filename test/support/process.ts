import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
// By its full name: the command may be run in any folder.
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** How a command ended, and all it said. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** The command line of Tailrace in a process of its own. */
export interface CommandProcess {
  child: ChildProcess
  stdout: () => string
  stderr: () => string
  /** Resolves when it has ended. */
  ended: Promise<Ended>
  /** Resolves with stdout once it matches; rejects when the process ends before. */
  said: (pattern: RegExp) => Promise<string>
  /** Sends the signal and waits for the end. */
  stop: (signal?: NodeJS.Signals) => Promise<Ended>
}

/** Runs `tailrace <arguments>` with this environment, of which nothing but the system's is inherited. */
export function runCommand(
  arguments_: readonly string[],
  environment: Record<string, string> = {},
  folder = process.cwd(),
): CommandProcess {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(TAILRACE_.*|DATABASE_URL|PORT|NODE_OPTIONS|NODE_ENV)$/.test(name),
  )
  const child = spawn(process.execPath, ['--import', TSX, MAIN, ...arguments_], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }))
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (pattern.test(stdout)) resolve(stdout)
      }
      child.stdout.on('data', look)
      look()
      void ended.then(() =>
        reject(new Error(`ended before it said ${String(pattern)}:\n${stderr}`)),
      )
    })
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return ended
  }
  return { child, stdout: () => stdout, stderr: () => stderr, ended, said, stop }
}

/** A server in a process of its own. */
export interface ServerProcess extends CommandProcess {
  url: string
}

/** Starts `tailrace serve` on an ephemeral port and waits for its banner. */
export async function startServerProcess(
  environment: Record<string, string>,
  folder?: string,
): Promise<ServerProcess> {
  const command = runCommand(['serve'], { TAILRACE_PORT: '0', ...environment }, folder)
  const text = await command.said(/listening on (\S+) .*\n/)
  return { ...command, url: /listening on (\S+)/.exec(text)?.[1] ?? '' }
}
