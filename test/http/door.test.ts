import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Door } from '../../src/http/door.ts'
import { until } from '../support/within.ts'

let app: FastifyInstance
let door: Door
let port: number
beforeEach(async () => {
  app = fastify()
  door = new Door(app, { warn: () => undefined })
  port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
})
afterEach(async () => {
  await door.remove()
  await app.close()
})

async function takes(): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Shuts, and lets another server take the port. */
async function shutAndTake(): Promise<Server> {
  door.shut()
  await until(() => !app.server.listening)
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  return other
}

it('shuts, and opens again on the same port', async () => {
  expect(await takes()).toBe(true)
  door.shut()
  await until(async () => !(await takes()))
  door.open()
  await until(takes)
})

it('may be told the same twice', async () => {
  door.shut()
  door.shut()
  door.open()
  door.open()
  await until(takes)
  door.open()
  expect(await takes()).toBe(true)
})

it('stays shut when it is shut while it opens', async () => {
  door.shut()
  door.open()
  door.shut()
  await until(async () => !(await takes()))
  expect(app.server.listening).toBe(false)
  door.open()
  await until(takes)
})

it('opens as soon as whoever has taken the port meanwhile is gone', async () => {
  const other = await shutAndTake()
  const refused = once(app.server, 'error')
  door.open()
  await refused
  other.close()
  await until(() => app.server.listening)
  expect(await takes()).toBe(true)
})

it('tries no more to open when it is to be shut', async () => {
  const other = await shutAndTake()
  const refused = once(app.server, 'error')
  door.open()
  await refused
  door.shut()
  other.close()
  await once(other, 'close')
  door.open()
  await until(takes)
  door.open()
  expect(await takes()).toBe(true)
})

it('does not open behind a server that has stopped', async () => {
  door.shut()
  door.open()
  await door.remove()
  await until(async () => !(await takes()))
  expect(app.server.listening).toBe(false)
})
