import { readFile } from 'node:fs/promises'

/**
 * Runs a curl command line from the documents with fetch, for machines without curl: -d, --data-binary
 * (with @file), -H, -N (fetch buffers nothing anyway), and a URL, quoted as in a shell.
 */
export async function curl(commandLine: string, base: string): Promise<Response> {
  const words = splitWords(commandLine)
  if (words.shift() !== 'curl') throw new Error(`not a curl command: ${commandLine}`)
  const headers = new Headers()
  let body: Uint8Array<ArrayBuffer> | undefined
  let url = ''
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-H') {
      const [name = '', value = ''] = (words.shift() ?? '').split(/:\s*/, 2)
      headers.set(name, value)
    } else if (word === '-d' || word === '--data-binary') {
      body = await dataOf(words.shift() ?? '')
      if (!headers.has('content-type'))
        headers.set('content-type', 'application/x-www-form-urlencoded')
    } else if (word === '-N') continue
    else if (word.startsWith('-')) throw new Error(`an option this reader does not know: ${word}`)
    else url = word
  }
  const target = url.replace('http://localhost:7070', base)
  return fetch(target, body ? { method: 'POST', headers, body } : { headers })
}

async function dataOf(word: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = word.startsWith('@') ? await readFile(word.slice(1)) : Buffer.from(word)
  return new Uint8Array(bytes)
}

/** The words of a shell command: single and double quotes, a backslash before a newline. */
function splitWords(line: string): string[] {
  const words = line.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)
  return [...words].map(([, single, double, plain]) => single ?? double ?? plain ?? '')
}
