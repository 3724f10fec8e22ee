import protobuf from 'protobufjs/light.js'

/**
 * The messages of OTLP 1.x (opentelemetry-proto v1) as far as they are read here, one a line: its fields with their
 * number, type (`*`: repeated) and name in JSON. Enums are int32. What is not written down is passed over. `Body` is
 * the AnyValue of a log's body with its text as bytes, because collectors pass on what is not UTF-8.
 */
const MESSAGES = `
Body: 1 bytes stringValue, 2 bool boolValue, 3 int64 intValue, 4 double doubleValue, 5 ArrayValue arrayValue, 6 KeyValueList kvlistValue, 7 bytes bytesValue
AnyValue: 1 string stringValue, 2 bool boolValue, 3 int64 intValue, 4 double doubleValue, 5 ArrayValue arrayValue, 6 KeyValueList kvlistValue, 7 bytes bytesValue
ArrayValue: 1 AnyValue* values
KeyValueList: 1 KeyValue* values
KeyValue: 1 string key, 2 AnyValue value
InstrumentationScope: 1 string name, 2 string version, 3 KeyValue* attributes, 4 uint32 droppedAttributesCount
Resource: 1 KeyValue* attributes, 2 uint32 droppedAttributesCount, 3 EntityRef* entityRefs
EntityRef: 1 string schemaUrl, 2 string type, 3 string* idKeys, 4 string* descriptionKeys

LogsRequest: 1 ResourceLogs* resourceLogs
ResourceLogs: 1 Resource resource, 2 ScopeLogs* scopeLogs, 3 string schemaUrl
ScopeLogs: 1 InstrumentationScope scope, 2 LogRecord* logRecords, 3 string schemaUrl
LogRecord: 1 fixed64 timeUnixNano, 11 fixed64 observedTimeUnixNano, 2 int32 severityNumber, 3 string severityText, 5 Body body, 6 KeyValue* attributes, 7 uint32 droppedAttributesCount, 8 fixed32 flags, 9 bytes traceId, 10 bytes spanId, 12 string eventName

MetricsRequest: 1 ResourceMetrics* resourceMetrics
ResourceMetrics: 1 Resource resource, 2 ScopeMetrics* scopeMetrics, 3 string schemaUrl
ScopeMetrics: 1 InstrumentationScope scope, 2 Metric* metrics, 3 string schemaUrl
Metric: 1 string name, 2 string description, 3 string unit, 5 Gauge gauge, 7 Sum sum, 9 Histogram histogram, 10 ExponentialHistogram exponentialHistogram, 11 Summary summary, 12 KeyValue* metadata
Gauge: 1 NumberDataPoint* dataPoints
Sum: 1 NumberDataPoint* dataPoints, 2 int32 aggregationTemporality, 3 bool isMonotonic
Histogram: 1 HistogramDataPoint* dataPoints, 2 int32 aggregationTemporality
ExponentialHistogram: 1 ExponentialHistogramDataPoint* dataPoints, 2 int32 aggregationTemporality
Summary: 1 SummaryDataPoint* dataPoints
NumberDataPoint: 7 KeyValue* attributes, 2 fixed64 startTimeUnixNano, 3 fixed64 timeUnixNano, 4 double asDouble, 6 sfixed64 asInt, 5 Exemplar* exemplars, 8 uint32 flags
HistogramDataPoint: 9 KeyValue* attributes, 2 fixed64 startTimeUnixNano, 3 fixed64 timeUnixNano, 4 fixed64 count, 5 double sum, 6 fixed64* bucketCounts, 7 double* explicitBounds, 8 Exemplar* exemplars, 10 uint32 flags, 11 double min, 12 double max
ExponentialHistogramDataPoint: 1 KeyValue* attributes, 2 fixed64 startTimeUnixNano, 3 fixed64 timeUnixNano, 4 fixed64 count, 5 double sum, 6 sint32 scale, 7 fixed64 zeroCount, 8 Buckets positive, 9 Buckets negative, 10 uint32 flags, 11 Exemplar* exemplars, 12 double min, 13 double max, 14 double zeroThreshold
Buckets: 1 sint32 offset, 2 uint64* bucketCounts
SummaryDataPoint: 7 KeyValue* attributes, 2 fixed64 startTimeUnixNano, 3 fixed64 timeUnixNano, 4 fixed64 count, 5 double sum, 6 ValueAtQuantile* quantileValues, 8 uint32 flags
ValueAtQuantile: 1 double quantile, 2 double value
Exemplar: 7 KeyValue* filteredAttributes, 2 fixed64 timeUnixNano, 3 double asDouble, 6 sfixed64 asInt, 4 bytes spanId, 5 bytes traceId

TracesRequest: 1 ResourceSpans* resourceSpans
ResourceSpans: 1 Resource resource, 2 ScopeSpans* scopeSpans, 3 string schemaUrl
ScopeSpans: 1 InstrumentationScope scope, 2 Span* spans, 3 string schemaUrl
Span: 1 bytes traceId, 2 bytes spanId, 3 string traceState, 4 bytes parentSpanId, 16 fixed32 flags, 5 string name, 6 int32 kind, 7 fixed64 startTimeUnixNano, 8 fixed64 endTimeUnixNano, 9 KeyValue* attributes, 10 uint32 droppedAttributesCount, 11 Event* events, 12 uint32 droppedEventsCount, 13 Link* links, 14 uint32 droppedLinksCount, 15 SpanStatus status
Event: 1 fixed64 timeUnixNano, 2 string name, 3 KeyValue* attributes, 4 uint32 droppedAttributesCount
Link: 1 bytes traceId, 2 bytes spanId, 3 string traceState, 4 KeyValue* attributes, 5 uint32 droppedAttributesCount, 6 fixed32 flags
SpanStatus: 2 string message, 3 int32 code

RpcStatus: 1 int32 code, 2 string message
`

export type OtlpSignal = 'logs' | 'metrics' | 'traces'

function definition(fields: string): protobuf.IType {
  const entries = fields.split(', ').map((field) => {
    const [id, type = '', name = ''] = field.split(' ')
    const isRepeated = type.endsWith('*')
    const rule = isRepeated ? { rule: 'repeated' } : {}
    return [name, { id: Number(id), type: type.replace('*', ''), ...rule }] as const
  })
  // As proto2, protobufjs keeps a false or a 0 that was sent, and refuses no string for not being UTF-8.
  return { edition: 'proto2', fields: Object.fromEntries(entries) }
}

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    MESSAGES.split('\n')
      .filter(Boolean)
      .map((line) => {
        const [name = '', fields = ''] = line.split(': ')
        return [name, definition(fields)] as const
      }),
  ),
})

for (const type of root.nestedArray) if (type instanceof protobuf.Type) nameAbsence(type)

/** Makes what was not sent null, where protobufjs has an empty string or a 0: only so can an empty string be told. */
function nameAbsence(type: protobuf.Type): void {
  const prototype = type.ctor.prototype as Record<string, unknown>
  for (const field of type.fieldsArray) if (!field.resolve().repeated) prototype[field.name] = null
}

/** What is POSTed for each signal (ExportLogsServiceRequest and so on). */
export const REQUESTS: Readonly<Record<OtlpSignal, protobuf.Type>> = {
  logs: root.lookupType('LogsRequest'),
  metrics: root.lookupType('MetricsRequest'),
  traces: root.lookupType('TracesRequest'),
}

/** google.rpc.Status, the form of OTLP's errors. */
export const RPC_STATUS = root.lookupType('RpcStatus')
