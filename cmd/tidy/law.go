package main

import (
	"go/ast"
	"path"
	"strings"
)

// layers is the dependency law: a package below dir may import those of our own packages that lie
// below one of may. What no entry names (cmd) may import everything.
var layers = [...]struct {
	dir string
	may []string
}{
	{"codec", []string{"codec"}},
	{"halide", []string{"halide", "codec/media"}},
	{"actors", []string{"actors", "codec", "halide"}},
	{"cluster", []string{"cluster", "actors", "codec/media"}},
}

// fence keeps the packages below pkg inside the folders of only.
type fence struct {
	pkg  string
	only []string
	why  string
}

const protoactor = "github.com/asynkron/protoactor-go"

var fences = [...]fence{
	{protoactor + "/remote", []string{"cluster"}, "actors do not know the wire"},
	{protoactor + "/cluster", []string{"cluster"}, "actors do not know the cluster"},
	{protoactor, []string{"actors", "cluster"}, "its types do not leak out of the tree"},
	{"google.golang.org/protobuf", []string{"cluster/wire"}, "convert to our own types there"},
	{"github.com/golang/protobuf", []string{"cluster/wire"}, "convert to our own types there"},
	{"github.com/gogo/protobuf", []string{"cluster/wire"}, "convert to our own types there"},
	{"C", []string{"halide", "codec/av"}, "cgo stays in two places"},
}

// impure is what codec, which is bytes and values only, has no use for.
var impure = map[string]string{
	"time":        "use media.Time; the caller has the clock",
	"sync":        "the caller owns the value, one goroutine at a time",
	"sync/atomic": "the caller owns the value, one goroutine at a time",
	"log":         "return an error",
	"log/slog":    "return an error",
	"net":         "take an io.Reader or bytes",
	"net/http":    "take an io.Reader or bytes",
}

// frames is the exception: a picture in C memory is a counted reference, which any goroutine may
// release, so its package may import sync and sync/atomic.
const frames = "codec/av"

// checkLaw holds the imports of one Go file, and its go statements, to the design.
func checkLaw(r *repo, f *file) []finding {
	var found []finding
	for _, spec := range f.ast.Imports {
		pkg := strings.Trim(spec.Path.Value, `"`)
		for _, mend := range brokenBy(r.mod.Module.Mod.Path, f, pkg) {
			found = append(found, f.at(spec.Pos(), "law", mend))
		}
	}
	if f.test() || f.in("actors/own") {
		return found
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			found = append(found, f.at(g.Pos(), "goroutine",
				"start it by actors/own, so that an actor stops it and waits for it"))
		}
		return true
	})
	return found
}

// brokenBy tells what is wrong with file f importing pkg.
func brokenBy(module string, f *file, pkg string) []string {
	var mends []string
	if own, ok := strings.CutPrefix(pkg, module+"/"); ok {
		return layerBroken(f, own)
	}
	for _, fence := range fences {
		if within(pkg, fence.pkg) && !inAny(path.Dir(f.path), fence.only) {
			mends = append(mends, "import "+pkg+" only in "+strings.Join(fence.only, " and ")+
				": "+fence.why)
			break
		}
	}
	if f.test() {
		return mends
	}
	if f.in("codec") {
		if why := impure[pkg]; why != "" && !(f.in(frames) && within(pkg, "sync")) {
			mends = append(mends, "codec does not import "+pkg+": "+why)
		}
		return mends
	}
	if pkg == "net" && !f.in("cmd") && !ioFile(f.path) {
		mends = append(mends, "import net only in a file named io.go or NOUN_io.go")
	}
	return mends
}

func layerBroken(f *file, own string) []string {
	for _, l := range layers {
		if f.in(l.dir) && !inAny(own, l.may) {
			return []string{l.dir + " may import only " + strings.Join(l.may, ", ") +
				"; move the type down or the code up"}
		}
	}
	return nil
}

func inAny(dir string, roots []string) bool {
	for _, root := range roots {
		if within(dir, root) {
			return true
		}
	}
	return false
}

// ioFile tells whether a file is one of those that may hold a socket.
func ioFile(p string) bool {
	base := path.Base(p)
	return base == "io.go" || strings.HasSuffix(base, "_io.go")
}
