package kernel_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// timerModel is one session's timers as they should be: a list in the order in
// which they come.
type timerModel struct {
	t     *testing.T
	rng   *rand.Rand
	base  time.Time
	exact bool // time stands still in handlers: delays can be predicted
	list  []modelTimer
	ids   []kernel.TimerID // all that were ever given out
	n     int              // arguments given out
}

type modelTimer struct {
	id  kernel.TimerID // 0 when its setter returned none
	due time.Time
	kernel.Timer
}

// add puts a timer behind those of the same time.
func (m *timerModel) add(mt modelTimer) {
	m.list = append(m.list, mt)
	slices.SortStableFunc(m.list, func(a, b modelTimer) int { return a.due.Compare(b.due) })
}

func (m *timerModel) clear(name string) int {
	was := len(m.list)
	m.list = slices.DeleteFunc(m.list, func(mt modelTimer) bool { return mt.Event == name })
	return was - len(m.list)
}

// take removes a timer by its ID.
func (m *timerModel) take(id kernel.TimerID) (modelTimer, bool) {
	i := slices.IndexFunc(m.list, func(mt modelTimer) bool { return mt.id == id })
	if i < 0 {
		return modelTimer{}, false
	}
	mt := m.list[i]
	m.list = slices.Delete(m.list, i, i+1)
	return mt, true
}

func (m *timerModel) same(what string, got kernel.Timer, want modelTimer) {
	m.t.Helper()
	if got.Event != want.Event || !slices.Equal(got.Args, want.Args) || !got.Due.Equal(want.due) {
		m.t.Errorf("%s: got %v, want %v at %v", what, got, want.Timer, want.due)
	}
}

// set uses one of the six setters.
func (m *timerModel) set(c *kernel.Context) {
	m.n++
	name, off := fmt.Sprint("x", m.rng.IntN(3)), time.Duration(m.rng.IntN(12)-3)*time.Millisecond
	mt := modelTimer{Timer: kernel.Timer{Event: name, Args: []any{m.n}}, due: m.base.Add(off)}
	how := m.rng.IntN(3)
	if m.exact {
		how = m.rng.IntN(6)
	}
	if how >= 3 {
		mt.due = c.Now().Add(max(off, 0))
	}
	if how%3 == 0 {
		m.clear(name)
	}
	switch how {
	case 0:
		c.Alarm(name, mt.due, m.n)
	case 1:
		c.AlarmAdd(name, mt.due, m.n)
	case 2:
		mt.id = c.AlarmSet(name, mt.due, m.n)
	case 3:
		c.Delay(name, off, m.n)
	case 4:
		c.DelayAdd(name, off, m.n)
	case 5:
		mt.id = c.DelaySet(name, off, m.n)
	}
	if mt.id != 0 {
		m.ids = append(m.ids, mt.id)
	}
	m.add(mt)
}

// change uses one of the methods that take an ID, also of a timer that is gone.
func (m *timerModel) change(c *kernel.Context) {
	if len(m.ids) == 0 {
		return
	}
	id := m.ids[m.rng.IntN(len(m.ids))]
	want, there := m.take(id)
	off := time.Duration(m.rng.IntN(9)-4) * time.Millisecond
	var due time.Time
	var err error
	switch how := m.rng.IntN(3); {
	case how == 0:
		var was kernel.Timer
		if was, err = c.AlarmRemove(id); err == nil {
			m.same("AlarmRemove", was, want)
		}
	case how == 1 && m.exact:
		due, err = c.DelayAdjust(id, off)
		want.due = c.Now().Add(max(off, 0))
	default:
		due, err = c.AlarmAdjust(id, off)
		want.due = want.due.Add(off)
	}
	if there != (err == nil) || err != nil && !errors.Is(err, kernel.ErrNoTimer) {
		m.t.Errorf("timer %d, there %v: %v", id, there, err)
	}
	if there && !due.IsZero() {
		if !due.Equal(want.due) {
			m.t.Errorf("adjusted to %v, want %v", due, want.due)
		}
		m.add(want)
	}
}

func (m *timerModel) act(c *kernel.Context) {
	switch m.rng.IntN(20) {
	case 0:
		all := c.AlarmRemoveAll()
		if len(all) != len(m.list) {
			m.t.Errorf("AlarmRemoveAll: %d, want %d", len(all), len(m.list))
			return
		}
		for i, was := range all {
			m.same("AlarmRemoveAll", was, m.list[i])
		}
		m.list = nil
	case 1, 2:
		name := fmt.Sprint("x", m.rng.IntN(3))
		expect(m.t, "cleared", c.AlarmClear(name), m.clear(name))
	case 3, 4, 5, 6, 7, 8:
		m.change(c)
	default:
		m.set(c)
	}
}

// fired takes what just came from the front of the list.
func (m *timerModel) fired(c *kernel.Context) {
	if len(m.list) == 0 {
		m.t.Errorf("%s %v came, nothing was due", c.Event(), c.Args())
		return
	}
	want := m.list[0]
	m.list = m.list[1:]
	m.same("fired", kernel.Timer{Event: c.Event(), Args: c.Args(), Due: want.due}, want)
	if c.Now().Before(want.due) {
		m.t.Errorf("%v early", want.due.Sub(c.Now()))
	}
}

// Random uses of every timer method do what a sorted list would. Where time is
// the computer's, all is set before Run begins to fire; in virtual time the
// session goes on while its timers come.
func TestK96_K97_K99_K102_K103_K104_K105_K107_Model(t *testing.T) {
	eachMode(t, func(t *testing.T, mode kernel.Mode) {
		for round := range uint64(50) {
			k := boot(t, mode, seed(round))
			m := &timerModel{t: t, rng: rand.New(rand.NewPCG(round, 7)), base: k.Now(), exact: mode == kernel.Simulated}
			left := 300
			act := func(c *kernel.Context) error {
				m.fired(c)
				if mode == kernel.Simulated {
					for range min(left, 3) {
						left--
						m.act(c)
					}
				}
				return nil
			}
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					for range 60 {
						m.act(c)
					}
					return nil
				},
				"x0": act, "x1": act, "x2": act,
			})
			k.run()
			if expect(t, "never came", len(m.list), 0); t.Failed() {
				t.Fatalf("round %d", round)
			}
		}
	})
}
