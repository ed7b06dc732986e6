// Prints how llama.cpp tokenizes texts: `llama_ids MODEL.gguf < TEXTS`. Each text comes as its length in bytes, a line break
// and the bytes; each answer is a line of ids. Control tokens are not read from the texts.
#include "llama.h"

#include <cstdio>
#include <string>
#include <vector>

static void say_nothing(ggml_log_level, const char *, void *) {}

int main(int count, char **arguments) {
    if (count != 2) {
        return 1;
    }
    llama_log_set(say_nothing, nullptr);
    llama_backend_init();
    llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    llama_model *model = llama_model_load_from_file(arguments[1], params);
    if (model == nullptr) {
        return 1;
    }
    size_t length;
    while (scanf("%zu", &length) == 1) {
        getchar();
        std::string text(length, '\0');
        if (fread(text.data(), 1, length, stdin) != length) {
            return 1;
        }
        std::vector<llama_token> ids(2 * length + 16);
        int written = llama_tokenize(llama_model_get_vocab(model), text.data(), length, ids.data(), ids.size(), false, false);
        for (int index = 0; index < written; ++index) {
            printf(index == 0 ? "%d" : " %d", ids[index]);
        }
        printf("\n");
    }
}
