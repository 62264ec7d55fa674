package config

import (
	"fmt"
	"strings"
)

// Reference returns a Markdown table of all settings.
func Reference() string {
	var b strings.Builder
	b.WriteString("| setting | default | allowed | what it does |\n|---|---|---|---|\n")
	for _, f := range Fields() {
		value := ""
		if f.Default != "" {
			value = "`" + f.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Key, value, f.Allowed, f.Help)
	}
	return b.String()
}
