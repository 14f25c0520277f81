import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const defaultExport = {
  selector: "ExportDefaultDeclaration",
  message: "Only pages have a default export: everything else is imported by its name.",
};

export default tseslint.config(
  { ignores: ["dist", "coverage", "src/app/client/schema.d.ts", "test-results", "playwright-report"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  reactHooks.configs.flat["recommended-latest"],
  jsxA11y.flatConfigs.strict,
  {
    files: ["**/*.mjs", "eslint.config.js", "public/*.js"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        Buffer: "readonly",
        document: "readonly",
        window: "readonly",
      },
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    rules: {
      "no-restricted-syntax": ["error", defaultExport],
      "@typescript-eslint/consistent-type-definitions": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "no-restricted-imports": [
        "error",
        {
          name: "@patternfly/react-icons",
          message: "Import the one icon: @patternfly/react-icons/dist/esm/icons/…",
        },
      ],
    },
  },
  { files: ["src/app/pages/**"], rules: { "no-restricted-syntax": "off" } },
  { files: ["**/*.test.{ts,tsx}"], rules: { "max-lines": "off" } },
);
