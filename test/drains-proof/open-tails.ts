import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openRawTail, RAW_FORMS } from '../tails/raw-tail.ts'
import { openTail, type Form, type TailStream } from '../tails/tail-stream.ts'

const AGAIN_MS = 200
const READERS_OF_EACH = 3

/** Readers of a topic that come again whenever they are cut; some of them read nothing and answer nothing. */
export class OpenTails {
  /** Records that were read, and how often somebody had to come again. */
  records = 0
  ends = 0
  readonly #url: string
  readonly #path: string
  readonly #open = new Set<TailStream | Socket>()
  #isOver = false

  constructor(url: string, topic: string) {
    this.#url = url
    this.#path = `/v1/topics/${topic}/tail`
    const forms: Form[] = ['sse', 'websocket']
    for (const form of forms) for (let k = 0; k < READERS_OF_EACH; k++) this.#read(form)
    for (const form of RAW_FORMS) this.#stare(form)
  }

  #read(form: Form): void {
    const tail = openTail(form, this.#url + this.#path, undefined, {
      records: ({ offsets }) => (this.records += offsets.length),
      control: () => undefined,
      closed: () => this.#again(tail, () => this.#read(form)),
    })
    this.#open.add(tail)
  }

  /** One that does not even close when it is told to. */
  #stare(form: (typeof RAW_FORMS)[number]): void {
    const socket = openRawTail(this.#url, form, this.#path)
    this.#open.add(socket)
    socket.on('close', () => this.#again(socket, () => this.#stare(form)))
  }

  #again(one: TailStream | Socket, open: () => void): void {
    this.#open.delete(one)
    this.ends++
    void sleep(AGAIN_MS).then(() => {
      if (!this.#isOver) open()
    })
  }

  close(): void {
    this.#isOver = true
    for (const one of this.#open) {
      if ('cut' in one) one.cut()
      else one.destroy()
    }
  }
}
