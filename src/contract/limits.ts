/** Every bound in the system, with its reason. Bytes unless the name says otherwise; durations in `_ms`. */

const KIB = 1024
const MIB = 1024 * KIB

export const LIMITS = {
  /** A request body after decompression: a few thousand ordinary records, and what 64 clients may send
   * at once still fits into memory. */
  body_bytes: 16 * MIB,
  /** One record as its stored JSON line, and the default of a topic's max_record_bytes: Kafka's default. */
  record_bytes: 1 * MIB,
  /** The most that a topic may allow for one record; a body cannot carry more. */
  max_record_bytes: 16 * MIB,
  /** Records in one request. It is one transaction: a larger one would hold its partitions too long. */
  records_per_request: 10_000,
  /** Headers are for tracing and routing, not for data. */
  headers_per_record: 32,
  /** Nesting of a JSON value. Postgres and most parsers recurse; 512 is far below where they fail. */
  json_depth: 512,
  /** Kafka's bound on a topic name. */
  topic_name_chars: 249,
  /** Partitions are locks and index ranges; more than this buys nothing on one database. */
  partitions_per_topic: 1_000,
  /** As the Idempotency-Key drafts suggest. */
  idempotency_key_chars: 255,
  /** How long a receipt counts: long enough for a retry after a night's outage. */
  idempotency_ms: 24 * 60 * 60 * 1000,

  /** A page of a fetch, unless the caller asks for another size. */
  fetch_default_records: 1_000,
  fetch_records: 10_000,
  fetch_default_bytes: 1 * MIB,
  fetch_bytes: 16 * MIB,
  /** A long poll: below the idle time-outs of common proxies and platforms when clients ask for less. */
  fetch_wait_ms: 60_000,
  /** Fetches waiting on one node at once; each costs a socket, a timer and a few objects. */
  waiting_fetches: 10_000,

  /** Rows of `batches` are cut at this size, so that reading one record never reads more than this
   * beside it. Cut sizes from 8 KiB up made no difference to append speed. */
  batch_bytes: 64 * KIB,
  /** One flush, which is one parameter of one statement. With 64 clients of 100 KB bodies 1 MiB was 15 % slower
   * and 4 MiB 8 %. */
  flush_bytes: 2 * MIB,
  /** Bodies from this size on, about 0.05 ms of work, wait for a turn to be read. */
  large_body_bytes: 16 * KIB,
  /** Requests waiting for their flush; past this, 429. Twice what 64 clients with full pages hold. */
  queue_bytes: 64 * MIB,
  /** How long a produce waits for a partition that another session has locked; then 503. */
  lock_wait_ms: 3_500,
  /** How long a flush may go unanswered before its outcome is called unknown. */
  flush_timeout_ms: 7_000,
  /** How long a read may take; the connection is given up after it. */
  read_timeout_ms: 5_000,
  /** How long to wait for a database connection. */
  connect_timeout_ms: 2_500,
  /** The same while starting, when nobody waits for an answer yet. */
  start_timeout_ms: 5_000,
  /** How often waiting readers are checked for records appended by other nodes. */
  poll_ms: 250,
  /** How old a node's knowledge of a topic may be: other nodes change configurations and partitions. */
  topic_cache_ms: 1_000,

  /** What a tail takes at once from the log, beside one batch; as text it is longer. One page at a time is
   * under way to a reader, so this also bounds what a slow one costs. */
  tail_read_bytes: 64 * KIB,
  tail_page_bytes: 192 * KIB,
  tail_page_records: 1_000,
  /** What the tailer of a partition reads at once, for all its readers. */
  tailer_read_bytes: 1 * MIB,
  /** A tail whose reader takes nothing for this long is closed; it can go on from its position. */
  tail_stall_ms: 30_000,
  /** Below the idle time-outs of proxies (Heroku's router: 55 s). */
  tail_heartbeat_ms: 15_000,
  /** Live tails on one node; each costs a socket and some 20 to 40 KB. */
  tails: 10_000,
  topics_per_tail: 100,
  /** Partitions of one tail, over all its topics; its position names each. */
  partitions_per_tail: 1_000,
  /** A request's line and headers: they may hold two positions of a tail, from and until. */
  head_bytes: 32 * KIB,
  /** A position of 1,000 partitions of one topic, or of as many names as fit. */
  tail_position_chars: 14_000,
  tail_key_chars: 4_000,
  /** Recent batches of one tailed partition, kept for its readers; and of all of them together. */
  ring_bytes: 4 * MIB,
  rings_bytes: 64 * MIB,
  /** Messages a WebSocket client may send in one second, pings among them, and the size of one. */
  commands_per_s: 100,
  command_bytes: 4 * KIB,
  /** How often tails look for partitions that were added to their topics. */
  membership_ms: 1_000,
  /** Appends are told to other nodes at most this often. */
  notify_ms: 5,
  /** A node tells itself something by LISTEN this often, and gives it up when it did not arrive in time. */
  listen_check_ms: 10_000,
  listen_answer_ms: 5_000,
  /** The same for the first time, when nothing is known yet of what stands in between. */
  listen_first_ms: 2_000,

  /** A member that is not heard of for so long is gone; Kafka's default, and the most anyone may ask for. */
  session_default_ms: 45_000,
  session_ms: 60 * 60_000,
  /** Kafka's time for a member to let go of its partitions. */
  rebalance_default_ms: 60_000,
  /** Of the records that one call of `next` brings, and how long it waits for some. */
  lease_default_ms: 30_000,
  next_wait_ms: 10_000,
  topics_per_member: 100,
  members_per_group: 1_000,
  /** Partitions of which one member may hold records that are not committed; its ack, which goes into a query, names
   * each with up to 34 characters. */
  partitions_in_hand: 700,
  ack_chars: 24_100,
  offsets_per_commit: 1_000,
  /** As many as a command of 4 KiB may name. */
  offsets_per_command: 100,
  /** Commits of members that one transaction takes. */
  commits_per_flush: 200,
  heartbeats_per_flush: 1_000,
  /** How often groups that this node serves are looked at, and how long after their last call. */
  group_poll_ms: 250,
  group_active_ms: 10_000,

  /** A body that a drain is sent, after decompression: Vector's default is 10 MB, OTLP and Firehose may send more. */
  drain_body_bytes: 64 * MIB,
  /** One record of a drain as JSON text; what is longer comes in pieces. It fits a topic's default. */
  drain_record_bytes: 960 * KIB,
  /** Of bodies that drains hold in memory while the database is away, or slow; past it they are refused. */
  drain_held_bytes: 128 * MIB,
  /** How long a frame is tried again in here. Logplex gives up after three times 5 s; the frame is stored even so. */
  drain_hold_ms: 60_000,
  /** After how long a sender that repeats what is answered 503 gets that answer. Most wait 5 s or longer. */
  drain_patience_ms: 4_500,
  /** So long without the database, and no connections are taken while drains are in use. */
  drain_outage_ms: 3_000,
  /** What is counted of drains is told to the database this often. */
  drain_count_ms: 1_000,
  /** Apps and processes of one drain: one-off dynos have names of their own. */
  drain_sources: 1_000,
  drain_sources_shown: 100,
  drain_secret_chars: 200,
  /** Drains whose requests one node counts at a time, some 2 MB each and 15 at worst; how long it goes on when nobody
   * asks; and how long the first who asks waits for the last hour to be read, at some 300,000 lines a second. */
  metrics_drains: 32,
  metrics_idle_ms: 5 * 60_000,
  metrics_wait_ms: 3_000,
  /** How often a stream of metrics is brought up to date. */
  metrics_update_ms: 1_000,
  drain_grace_default_ms: 60 * 60_000,
  drain_grace_ms: 30 * 24 * 60 * 60_000,

  /** What a drain's router metrics are broken down by; what is rarer is counted as `other`. Heroku allows 100 dynos of
   * a type; an application of 200 busy routes has names for them. */
  metrics_paths: 200,
  metrics_dynos: 500,
  /** The longest window. A day of minutes would take up to 140 MB a drain, and Prometheus is there for longer. */
  metrics_window_ms: 60 * 60_000,
  metrics_default_window_ms: 5 * 60_000,
  /** A line this far ahead of its arrival has a clock that is wrong, not just not quite right. */
  metrics_ahead_ms: 10_000,

  topics_per_page: 1_000,
  topics_default_page: 100,
  /** Batches of deleted topics removed in one statement, so that nobody waits behind it. */
  delete_chunk_rows: 5_000,
} as const
