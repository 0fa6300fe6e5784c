// What a program in TypeScript does with a client generated from openapi/lodge.json. `.ci/run` generates `lodge.d.ts` beside
// this file, has the compiler check both, and runs this against a server on an empty database.

import createClient from "openapi-fetch";
import type { components, paths } from "./lodge.js";

type Failure = components["schemas"]["Failure"];

const [url, key] = process.argv.slice(2);
if (url === undefined || key === undefined) throw new Error("wanted: the server's address and a special internal key");

const desk = createClient<paths>({ baseUrl: `${url}/api/v1`, headers: { "X-API-KEY": key } });

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected ${what}`);
}

/** What a call was answered with; a refusal is typed as well, and ends this. */
function answered<T>(call: { data?: T; error?: Failure; response: Response }): T {
  if (call.data === undefined) throw new Error(`${call.response.status}: ${JSON.stringify(call.error)}`);
  return call.data;
}

const customer = answered(
  await desk.POST("/internal/customers", { body: { name: "Tess Script", email: "tess@customer.example" } }),
).data;
const ticket = answered(
  await desk.POST("/internal/tickets", {
    params: { header: { "Idempotency-Key": "talk-ts" } },
    body: { customer_id: customer.id, title: "Typed", content: "Checked by a compiler.", priority: "high" },
  }),
).data;
// What may be null, what it is when it is not, and the words of an enum are all in the types.
must(ticket.customer?.id === customer.id && ticket.assigned_to === null, "the customer's ticket, led by nobody");
const priority: "low" | "medium" | "high" | "critical" = ticket.priority;
must(priority === "high", "the priority that was sent");

const page = answered(await desk.GET("/internal/tickets", { params: { query: { customer_id: customer.id, sort: "-priority" } } }));
must(page.meta.total === 1 && page.data[0]?.id === ticket.id, "a list of the one ticket");

const one = { params: { path: { id: ticket.id } } };
must(answered(await desk.GET("/internal/tickets/{id}", one)).data.title === "Typed", "the ticket");
const closed = answered(await desk.PUT("/internal/tickets/{id}", { ...one, body: { status: "closed" } })).data;
must(closed.closed_at !== null && closed.is_resolved, "a closed ticket");

const refused = await desk.POST("/internal/customers", { body: { name: "", email: "tess@customer.example" } });
must(refused.response.status === 422 && refused.error?.code === "validation_failed", "a refusal that names its code");
must(refused.error.errors?.name?.length === 1, "a refusal that names the field");

// @ts-expect-error A status that there is not does not compile; the server refuses it as well.
const unknown = await desk.GET("/internal/tickets", { params: { query: { status: "asleep" } } });
must(unknown.response.status === 422, "a refusal of a status that there is not");

must(answered(await desk.DELETE("/internal/tickets/{id}", one)).status, "a deleted ticket");
must((await desk.GET("/internal/tickets/{id}", one)).response.status === 404, "no ticket any more");
