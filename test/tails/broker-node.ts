import {
  closeBroker,
  createBroker,
  drainBroker,
  startBroker,
  type Broker,
} from '../../src/broker/broker.ts'
import { createPools } from '../../src/store/pool.ts'

/** A node without its HTTP server. */
export interface BrokerNode {
  broker: Broker
  stop: () => Promise<void>
}

/** `listens`: does it tell of and hear of appends by NOTIFY? */
export function startBrokerNode(url: string, listens: boolean): BrokerNode {
  const address = { connectionString: url }
  const ignore = () => undefined
  const broker = createBroker(createPools(address, ignore), {
    address,
    auto_create_topics: false,
    schema_version: 0,
    failed: ignore,
    deaf: ignore,
  })
  if (listens) startBroker(broker)
  return {
    broker,
    stop: async () => {
      drainBroker(broker)
      await closeBroker(broker)
    },
  }
}
