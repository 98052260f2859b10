package notice

import (
	"embed"
	"fmt"
	"html"
	"path"
	"strings"
	"text/template"
)

// Each file is a template of the parts "subject" and "mail", "text", or all three. There is one
// wording for plain text and HTML: the second is made from the first.
//
//go:embed templates/*.txt
var templateFiles embed.FS

var templates = parse()

func parse() map[string]*template.Template {
	all := map[string]*template.Template{}
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err) // they are embedded
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), path.Ext(f.Name()))
		text, err := templateFiles.ReadFile("templates/" + f.Name())
		if err != nil {
			panic(err)
		}
		all[name] = template.Must(template.New(name).Option("missingkey=error").Parse(string(text)))
	}
	return all
}

// render fills in a part of a template; a template without the part has nothing to say that way.
func render(name, part string, data any) (string, error) {
	t := templates[name]
	if t == nil || t.Lookup(part) == nil {
		return "", fmt.Errorf("template %s, part %s: %w", name, part, errNothing)
	}
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, part, data); err != nil {
		return "", err
	}
	return tidy(b.String()), nil
}

// tidy takes the blank lines away that conditions of a template leave.
func tidy(s string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(s)) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" && len(lines) > 0 && lines[len(lines)-1] == "" {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n") + "\n"
}

// html is the plain text of a mail for those who read HTML: its paragraphs, its lists ("- "), and a
// link where a line is an address of ours. Larger letters and a narrow column, and no more: mail
// programs and screen readers agree on little else.
func (n *Notices) html(text string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>` +
		`<body style="margin:0 auto;max-width:38em;padding:1em;font:1.1em/1.5 sans-serif;color:#111;background:#fff">`)
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		end, between, items := "</p>", "<br>", strings.Split(paragraph, "\n")
		if strings.HasPrefix(paragraph, "- ") {
			b.WriteString("<ul><li>")
			end, between = "</li></ul>", "</li><li>"
		} else {
			b.WriteString("<p>")
		}
		for i, line := range items {
			if i > 0 {
				b.WriteString(between)
			}
			line = html.EscapeString(strings.TrimPrefix(line, "- "))
			if n.URL != "" && strings.HasPrefix(line, n.URL) && !strings.Contains(line, " ") {
				line = `<a href="` + line + `">` + line + `</a>`
			}
			b.WriteString(line)
		}
		b.WriteString(end)
	}
	b.WriteString("</body></html>\n")
	return b.String()
}
