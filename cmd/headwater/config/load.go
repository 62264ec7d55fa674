package config

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// fileSizeMax bounds the bytes of a configuration file.
const fileSizeMax = 1 << 20

// Sources are what a configuration is made of besides the defaults.
type Sources struct {
	// File is the path of a YAML file, or empty.
	File string
	// Env looks a variable of the environment up; nil is an empty environment.
	Env func(string) (string, bool)
	// Flags has the values of the command line, of which those named by Given count.
	Flags Config
	Given []string
}

// Default returns the configuration of a node of which nothing was set.
func Default() Config {
	var c Config
	for _, f := range Fields() {
		if err := f.set(&c, f.Default); err != nil {
			panic(fmt.Sprintf("default of %s: %v", f.Key, err)) // a tag of Config is wrong
		}
	}
	return c
}

// Load merges the sources and validates the outcome. The error is a list, a line each, of all that
// is wrong, with where it stands.
func Load(src Sources) (Config, error) {
	c := Default()
	fields := Fields()
	var problems []error
	if src.File != "" {
		problems = append(problems, c.readFile(src.File)...)
	}
	for i := range fields {
		f := &fields[i]
		if src.Env == nil {
			break
		}
		if text, ok := src.Env(f.Env()); ok {
			if err := f.set(&c, text); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", f.Env(), err))
			}
		}
	}
	for _, key := range src.Given {
		f, ok := find(fields, key)
		if !ok {
			continue // a flag of the command line alone
		}
		if err := f.copyFrom(&c, &src.Flags); err != nil {
			problems = append(problems, fmt.Errorf("--%s: %w", key, err))
		}
	}
	if len(problems) > 0 {
		return Config{}, errors.Join(problems...)
	}
	return c.complete()
}

// complete fills in what depends on the machine, and validates.
func (c Config) complete() (Config, error) {
	if c.Node.Name == "" {
		name, err := os.Hostname()
		if err != nil {
			return Config{}, fmt.Errorf("node.name: %w; set it", err)
		}
		c.Node.Name = name
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func find(fields []Field, key string) (*Field, bool) {
	for i := range fields {
		if fields[i].Key == key {
			return &fields[i], true
		}
	}
	return nil, false
}

// readFile reads a file into c and returns what is wrong with it.
func (c *Config) readFile(path string) []error {
	text, err := readBounded(path)
	if err != nil {
		return []error{err}
	}
	return c.readYAML(path, text)
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, fileSizeMax+1))
	if err != nil {
		return nil, err
	}
	if len(text) > fileSizeMax {
		return nil, fmt.Errorf("%s: more than %d bytes", path, fileSizeMax)
	}
	return text, nil
}
