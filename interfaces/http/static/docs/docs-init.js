"use strict";

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  // Nothing leaves this machine: no validator of somebody else's, no fonts, no badges.
  validatorUrl: null,
});
