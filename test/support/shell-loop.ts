import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { temporaryFolder } from './temporary-folder.ts'

const STAND_IN = new URL('curl-stand-in.mjs', import.meta.url).pathname

/** A loop of a shell that runs, and the lines it has printed. */
export interface ShellLoop {
  lines: string[]
  /** As a terminal that is closed. */
  kill: () => Promise<void>
}

/** Runs a script of the documents in `sh`, with the machine's curl or, where there is none, a stand-in. */
export async function startShellLoop(script: string): Promise<ShellLoop> {
  const folder = await temporaryFolder('curl')
  await writeFile(`${folder}/curl`, `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "$@"\n`)
  await chmod(`${folder}/curl`, 0o755)
  const path = `${process.env['PATH'] ?? ''}:${folder}`
  // A group of its own: a curl that waits dies with its loop.
  const child = spawn('sh', ['-c', script], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  return {
    lines,
    kill: async () => {
      const exited = once(child, 'exit')
      process.kill(-(child.pid ?? 0), 'SIGKILL')
      await exited
    },
  }
}
