import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A few lines a batch, so that there are many batches. */
const LINES_PER_BATCH = 50

/** Is the program installed, with what it needs to post? */
export function hasSyslogNg(): boolean {
  const { stdout, error } = spawnSync('syslog-ng', ['--module-registry'], { encoding: 'utf8' })
  return error === undefined && /\bhttp\b/.test(stdout)
}

/** `@version` must not be newer than the program. */
function version(): string {
  const { stdout } = spawnSync('syslog-ng', ['--version'], { encoding: 'utf8' })
  return /syslog-ng \d+ \((\d+\.\d+)/.exec(stdout)?.[1] ?? '3.38'
}

/** syslog-ng, which reads a file to its end and on, and posts its lines as Logplex would. */
export class SyslogNg {
  readonly #child: ChildProcess
  #said = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
    }
  }

  /** `drainUrl` with its user and password. */
  static async start(folder: string, file: string, drainUrl: string): Promise<SyslogNg> {
    const config = join(folder, 'syslog-ng.conf')
    await writeFile(config, configOf(file, drainUrl))
    const state = ['persist', 'control', 'pid'].map((name) => join(folder, `syslog-ng.${name}`))
    const [persist = '', control = '', pid = ''] = state
    const files = ['-f', config, '-R', persist, '-c', control, '-p', pid]
    return new SyslogNg(spawn('syslog-ng', ['--foreground', '--no-caps', '--stderr', ...files]))
  }

  get said(): string {
    return this.#said
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill()
    await once(this.#child, 'close')
  }
}

function configOf(file: string, drainUrl: string): string {
  const url = new URL(drainUrl)
  const { username, password } = url
  url.username = ''
  url.password = ''
  return `@version: ${version()}
options { time-reopen(1); ts-format(iso); frac-digits(6); log-msg-size(65536); stats-freq(0); };
source lines { file("${file}" follow-freq(1) flags(no-parse)); };
template message { template("<190>1 \${ISODATE} host app web.1 - \${MESSAGE}\\n"); };
destination drain {
  http(
    url("${url.href}") method("POST") user("${username}") password("${password}")
    headers("Content-Type: application/logplex-1")
    body("$(length $(template message)) $(template message)") delimiter("")
    batch-lines(${String(LINES_PER_BATCH)}) batch-timeout(500) workers(1) timeout(5)
    persist-name("drain")
  );
};
# Without flow control it reads on while nobody takes what it has, and drops it.
log { source(lines); destination(drain); flags(flow-control); };
`
}
