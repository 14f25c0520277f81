//! Prints the OpenAPI document: `cargo run -p stargate-query --example openapi > functions/query/openapi.json`.

fn main() {
    println!("{:#}", stargate_query::document());
}
