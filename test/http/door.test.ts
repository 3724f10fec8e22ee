import { createServer, type AddressInfo, type Server } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Door } from '../../src/http/door.ts'
import { until } from '../support/within.ts'

let app: FastifyInstance
let door: Door
let port: number
let warnings: string[]
let squatter: Server | undefined
beforeEach(async () => {
  app = fastify()
  app.get('/', () => 'here')
  await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
  warnings = []
  door = new Door(app, { warn: (_fields, message) => warnings.push(message) })
})
afterEach(async () => {
  door.remove()
  await app.close()
  await leave()
})

const isOpen = () =>
  fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(
    async (response) => (await response.text()) === 'here',
    () => false,
  )

/** Another program takes the port while it is free. */
async function squat(): Promise<void> {
  squatter = createServer((socket) => socket.destroy())
  await until(async () => {
    const taken = new Promise<boolean>((resolve) => {
      squatter!.once('error', () => resolve(false))
      squatter!.listen(port, '127.0.0.1', () => resolve(true))
    })
    return taken
  })
}

async function leave(): Promise<void> {
  const one = squatter
  squatter = undefined
  if (one) await new Promise((resolve) => one.close(resolve))
}

it('refuses while it is shut, and takes connections again', async () => {
  for (let n = 0; n < 3; n++) {
    door.shut()
    expect(await isOpen()).toBe(false)
    door.open()
    await until(isOpen)
  }
})

it('is shut or open however often one says so', async () => {
  door.open()
  expect(await isOpen()).toBe(true)
  door.shut()
  door.shut()
  expect(await isOpen()).toBe(false)
  door.open()
  door.open()
  await until(isOpen)
})

it('is what was said last, while it is being opened', async () => {
  door.shut()
  door.open()
  door.shut()
  // By now it would be open.
  for (let n = 0; n < 20; n++) expect(await isOpen()).toBe(false)
  door.open()
  door.open()
  await until(isOpen)
})

it('opens when the port is free again', async () => {
  door.shut()
  await squat()
  door.open()
  await until(() => warnings.some((one) => one.includes('cannot be listened on')))
  await leave()
  await until(isOpen)
})

it('stays shut where it was shut again while it could not open', async () => {
  door.shut()
  await squat()
  door.open()
  await until(() => warnings.some((one) => one.includes('cannot be listened on')))
  door.shut()
  await leave()
  const before = performance.now()
  // It tries again after a second.
  await until(() => performance.now() - before > 1_500)
  expect(await isOpen()).toBe(false)
  door.open()
  await until(isOpen)
})

it('does not open twice', async () => {
  door.shut()
  await squat()
  door.open()
  await until(() => warnings.some((one) => one.includes('cannot be listened on')))
  await leave()
  // One try is waiting; this is another one.
  door.open()
  await until(isOpen)
  const before = performance.now()
  await until(() => performance.now() - before > 1_500)
  expect(await isOpen()).toBe(true)
})
