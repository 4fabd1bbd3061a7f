import type { DataOverview } from '../types';

const HTTP = 'otlp';
const GRPC = 'otlp-grpc';

/** Where this broker takes telemetry, if it does. */
export interface Doors {
  /** As in `http://127.0.0.1:4318`; null when nothing is taken there. */
  http: string | null;
  /** As in `127.0.0.1:4317`. */
  grpc: string | null;
  /** Whether senders must show the ingest token. */
  needsToken: boolean;
}

/** The doors of a broker, as it says them. */
export function doorsOf(overview: DataOverview): Doors {
  const { doors } = overview.status;
  const bare = (address: string): string => address.replace(/^\w+:\/\//, '');
  const http = doors[HTTP]?.address;
  return {
    http: http ? `http://${bare(http)}` : null,
    grpc: doors[GRPC] ? bare(doors[GRPC].address) : null,
    needsToken: Object.values(doors).some(door => door.open_to.includes('token'))
  };
}

/** What opens the doors, where none is open. */
export function openCommand(store: string): string {
  return `jupyter investigation broker --store ${quoted(store)}`;
}

/** An OpenTelemetry Collector's configuration that sends all signals to a broker. */
export function collector(doors: Doors): string {
  const endpoint = doors.http ?? 'http://127.0.0.1:4318';
  const headers = doors.needsToken
    ? '\n    headers:\n      authorization: Bearer ${env:INVESTIGATION_INGEST_TOKEN}'
    : '';
  return `receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:14317
      http:
        endpoint: 127.0.0.1:14318
exporters:
  otlphttp/investigation:
    endpoint: ${endpoint}${headers}
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlphttp/investigation]
    metrics:
      receivers: [otlp]
      exporters: [otlphttp/investigation]
    logs:
      receivers: [otlp]
      exporters: [otlphttp/investigation]
`;
}

/** One log record by hand: the shortest way to see that data arrive. */
export function curl(doors: Doors, now: Date): string {
  const endpoint = doors.http ?? 'http://127.0.0.1:4318';
  const token = doors.needsToken ? ' -H "Authorization: Bearer $INVESTIGATION_INGEST_TOKEN"' : '';
  const record = {
    resourceLogs: [
      {
        resource: {
          attributes: [{ key: 'service.name', value: { stringValue: 'hello' } }]
        },
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: `${now.getTime()}000000`,
                severityText: 'INFO',
                body: { stringValue: 'hello, investigation' }
              }
            ]
          }
        ]
      }
    ]
  };
  return `curl -X POST ${endpoint}/v1/logs -H "Content-Type: application/json"${token} \\\n  -d '${JSON.stringify(record)}'`;
}

/** Reads files into a store, of whatever format they are. */
export function ingestCommand(store: string): string {
  return `jupyter investigation ingest --store ${quoted(store)} FILE…`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replace(/'/g, "'\\''")}'`;
}
