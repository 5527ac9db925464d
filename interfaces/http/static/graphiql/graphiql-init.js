/* Starts the GraphQL explorer. A file of its own, so that no page needs an inline script. */
"use strict";

// The query that a newcomer sees first.
const DEFAULT_QUERY = `# Search the archive by meaning: Ctrl+Enter.
# The book icon, top left, shows the schema.
{
  search(query: "can a machine love?", workspace: "demo", limit: 5) {
    ... on SearchResult {
      coverage { indexed total isPartial }
      hits {
        score
        meaning { cosine rank }
        message {
          text
          author { name }
          conversation { title }
          sentAt
        }
        before { author { name } text }
        after { author { name } text }
      }
    }
    ... on Refusal { code message }
  }
}
`;

const endpoint = new URL("/graphql", window.location.href);
const subscriptions = new URL(endpoint);
subscriptions.protocol = endpoint.protocol === "https:" ? "wss:" : "ws:";

const fetcher = GraphiQL.createFetcher({
  url: endpoint.href,
  subscriptionUrl: subscriptions.href,
});

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: DEFAULT_QUERY }),
);
