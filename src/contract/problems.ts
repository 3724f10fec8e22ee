/** What one kind of failure looks like from outside. */
export interface ProblemKind {
  status: number
  title: string
  /** May the same request succeed later, unchanged? */
  retriable: boolean
  /** What to do about it; a more precise hint may be sent with the problem itself. */
  hint: string
}

/**
 * Every way a request can fail (RFC 9457). Keep this alphabetized: codes are public and never renamed.
 * Codes are Kafka's words in lower case where Kafka has one.
 */
export const PROBLEMS = {
  drain_already_exists: {
    status: 409,
    title: 'There is a drain of this name already',
    retriable: false,
    hint: 'Give it a new credential with POST /v1/drains/{drain}/rotate, or choose another name.',
  },
  draining: {
    status: 503,
    title: 'The server is shutting down',
    retriable: true,
    hint: 'Send the request again; another node, or this one after its restart, will take it.',
  },
  group_max_size_reached: {
    status: 409,
    title: 'The group has as many members as it may',
    retriable: true,
    hint: 'Let members leave with DELETE /v1/groups/{group}/members/{member_id}, or wait until their sessions end.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    retriable: false,
    hint: 'Use a new Idempotency-Key for each different request; repeat a key only to retry the same one.',
  },
  illegal_generation: {
    status: 409,
    title: 'The group has gone on without this member',
    retriable: false,
    hint: 'Nothing was committed. Join again, and read on from what is committed.',
  },
  inconsistent_group_protocol: {
    status: 409,
    title: 'The members of the group use another assignor',
    retriable: false,
    hint: "Join without assignor to use the group's own, or let the others leave first.",
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong in the server',
    retriable: false,
    hint: 'This is a bug in the server. Its log holds the cause under the instance named here.',
  },
  invalid_request: {
    status: 400,
    title: 'The request is not valid',
    retriable: false,
    hint: 'Correct what errors names and send the request again.',
  },
  message_too_large: {
    status: 413,
    title: 'A record is larger than its topic allows',
    retriable: false,
    hint: "Send smaller records, or raise the topic's max_record_bytes.",
  },
  method_not_allowed: {
    status: 405,
    title: 'This path does not take that method',
    retriable: false,
    hint: 'Use one of the methods in the Allow header.',
  },
  non_empty_group: {
    status: 409,
    title: 'The group has members',
    retriable: false,
    hint: 'Let its members leave, or wait until their sessions end; reset moves a group that is reading.',
  },
  not_acceptable: {
    status: 406,
    title: 'The answer has no form that the Accept header allows',
    retriable: false,
    hint: 'Accept application/json, or leave the Accept header out.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing at this path',
    retriable: false,
    hint: 'See /docs for the paths there are.',
  },
  offset_mismatch: {
    status: 412,
    title: 'The log has moved on',
    retriable: false,
    hint: 'Read up to the high watermarks given here, decide again, and send with new expected_offsets.',
  },
  offset_out_of_range: {
    status: 416,
    title: 'The offset is outside the log',
    retriable: false,
    hint: 'Fetch from an offset between log_start_offset and high_watermark, or with from=earliest or from=latest.',
  },
  origin_not_allowed: {
    status: 403,
    title: 'Pages of this origin may not use the server',
    retriable: false,
    hint: "Add the page's origin to TAILRACE_ALLOWED_ORIGINS, e.g. https://app.example.com.",
  },
  partition_busy: {
    status: 503,
    title: 'The partition is locked by another session',
    retriable: true,
    hint: 'Send the request again. If it stays so, look in pg_locks for who holds the advisory lock.',
  },
  queue_full: {
    status: 429,
    title: 'More is being produced than the database takes',
    retriable: true,
    hint: 'Wait as long as Retry-After says, then send the request again.',
  },
  request_header_fields_too_large: {
    status: 431,
    title: 'The request headers are too large',
    retriable: false,
    hint: 'Send fewer or shorter headers; 32 KiB in all is the bound.',
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time',
    retriable: true,
    hint: 'Send the request again, in smaller parts if the line is slow.',
  },
  request_too_large: {
    status: 413,
    title: 'The request is too large',
    retriable: false,
    hint: 'Split the records over several requests.',
  },
  slow_consumer: {
    status: 503,
    title: 'The reader takes too little',
    retriable: true,
    hint: 'Reconnect with from= the position given here, and read faster or ask for less.',
  },
  store_unavailable: {
    status: 503,
    title: 'The database does not answer',
    retriable: true,
    hint: 'Send the request again soon. If written is unknown, repeat it with the same Idempotency-Key.',
  },
  topic_already_exists: {
    status: 409,
    title: 'There is a topic of this name already',
    retriable: false,
    hint: 'Use it as it is, change it with PATCH, or choose another name.',
  },
  unauthorized: {
    status: 401,
    title: 'The credential is missing or wrong',
    retriable: false,
    hint: 'Send the credential as user or password of Basic, or as a Bearer token.',
  },
  unknown_drain: {
    status: 404,
    title: 'No such drain',
    retriable: false,
    hint: 'List the drains with GET /v1/drains, or create one with POST /v1/drains.',
  },
  unknown_group: {
    status: 404,
    title: 'No such group',
    retriable: false,
    hint: 'List the groups with GET /v1/groups; joining one creates it.',
  },
  unknown_member_id: {
    status: 404,
    title: 'The group has no such member',
    retriable: false,
    hint: 'Join with POST /v1/groups/{group}/members; a member whose session has ended joins again.',
  },
  unknown_topic_or_partition: {
    status: 404,
    title: 'No such topic or partition',
    retriable: false,
    hint: 'List the topics with GET /v1/topics.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body has a form this path does not take',
    retriable: false,
    hint: 'Send application/json, and Content-Encoding gzip or none.',
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof PROBLEMS

/** Did a failed write store anything? `no`: surely not. `unknown`: ask again with the same key. */
export type Written = 'no' | 'unknown'

/** One thing that is wrong with a request: where (a JSON Pointer into that part) and what. */
export interface FieldError {
  in: 'body' | 'query' | 'path' | 'header'
  pointer: string
  detail: string
}
