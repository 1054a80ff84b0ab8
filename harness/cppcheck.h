/* For cppcheck alone, which reads it before each file: what the macros of libraries come to. */
#define json_array_foreach(a, i, v)          for (i = 0; (v = json_array_get(a, i)); i++)
#define json_object_foreach(o, k, v)         for (k = json_first(o); (v = json_object_get(o, k)); k = json_next(o, k))
#define json_object_foreach_safe(o, n, k, v) for (k = json_first(o); (v = json_object_get(o, k)); k = json_next(o, k))
#define Test(suite, name, ...)               static void test_##suite##_##name(void)
#define TestSuite(name, ...)                 extern int suite_##name
#define ReportHook(phase)                    static void hook_##phase
