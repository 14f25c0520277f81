import type { components, paths } from "./schema";

/** The API's shapes, by the names of its document. */
export type Schemas = components["schemas"];

export type Meta = Schemas["Meta"];
export type PageInfo = Schemas["Page"];
export type SourceState = Schemas["SourceState"];
export type Counts = Schemas["Counts"];
export type Outcomes = Schemas["Outcomes"];

/** An operation that reads. */
export type GetPath = {
  [P in keyof paths]: paths[P] extends { get: { responses: object } } ? P : never;
}[keyof paths];

type Operation<P extends GetPath> = paths[P] extends { get: infer O } ? O : never;

/** What an operation answers: `data`, `meta`, and `page` when it is a list. */
export type Answer<P extends GetPath> =
  Operation<P> extends { responses: { 200: { content: { "application/json": infer B } } } } ? B : never;

/** What an operation answers, without what surrounds it. */
export type Data<P extends GetPath> = Answer<P> extends { data: infer D } ? D : never;

/** One row of a list. */
export type Row<P extends GetPath> = Data<P> extends readonly (infer R)[] ? R : never;

type Given<P extends GetPath, In extends "query" | "path"> =
  Operation<P> extends { parameters: infer A } ? (In extends keyof A ? NonNullable<A[In]> : never) : never;

/** Words come from the address bar: the server, not the compiler, says which it takes. Names are checked here. */
export type Query<P extends GetPath> = {
  [K in keyof Given<P, "query">]?: NonNullable<Given<P, "query">[K]> extends readonly unknown[]
    ? readonly string[]
    : NonNullable<Given<P, "query">[K]> extends number
      ? number
      : NonNullable<Given<P, "query">[K]> extends boolean
        ? boolean
        : string;
};

export type PathParameters<P extends GetPath> = Given<P, "path">;
